// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Who this node is, and who it was: a node whose directory went back in time continues under a new
 * incarnation, so that it never gives a number twice. Immutable.
 *
 * @param self the incarnation that numbers what is accepted now
 * @param former the earlier ones, each up to the last of its numbers that is in this log; what it
 *     had written beyond that comes back from other nodes
 */
record Incarnations(NodeId self, VersionVector former) {
  static final byte[] IDENTITY = "identity".getBytes(StandardCharsets.UTF_8);
  static final byte[] FORMER = "former".getBytes(StandardCharsets.UTF_8);

  /** Who a store says it is; null where it does not say. */
  static @Nullable Incarnations of(Store store) {
    return of(key -> store.get(Table.META, key));
  }

  /** Gives what metadata say under a key. */
  interface Said {
    byte @Nullable [] get(byte[] key);
  }

  /** Who metadata say they are of; null where they do not say. */
  static @Nullable Incarnations of(Said said) {
    byte[] identity = said.get(IDENTITY);
    if (identity == null) {
      return null;
    }
    byte[] former = said.get(FORMER);
    return new Incarnations(
        new NodeId(new String(identity, StandardCharsets.UTF_8)),
        former == null ? VersionVector.EMPTY : CausalCodec.readVector(new ByteReader(former)));
  }

  static Incarnations first(NodeId self) {
    return new Incarnations(self, VersionVector.EMPTY);
  }

  /** Tells what to write into the table of metadata, so that {@link #of} reads it again. */
  void write(Writer writer) {
    writer.put(Table.META, IDENTITY, self.value().getBytes(StandardCharsets.UTF_8));
    ByteWriter out = new ByteWriter();
    CausalCodec.write(out, former);
    writer.put(Table.META, FORMER, out.toBytes());
  }

  /** Takes what is to be written. */
  @FunctionalInterface
  interface Writer {
    void put(Table table, byte[] key, byte[] value);
  }

  /** As it goes on, under a number that it never had, after a log that ends at a position. */
  Incarnations next(long position, long incarnation) {
    return new Incarnations(
        self.incarnation(incarnation),
        position == 0 ? former : former.with(new Dot(self, position)));
  }

  /** Whether the version with this dot stands in this log at the dot's own number. */
  boolean wrote(Dot dot) {
    return dot.node().equals(self) || former.contains(dot);
  }

  /** Whether all of a record's versions are of this very incarnation. */
  boolean isOwn(VersionVector context) {
    return context.entries().size() == (context.get(self) > 0 ? 1 : 0);
  }

  /** The position of a record's last version where all of them were written here. */
  long last(VersionVector context) {
    long last = 0;
    for (int i = 0; i < context.entries().size(); i++) {
      if (wrote(new Dot(context.entries().key(i), context.entries().value(i)))) {
        last = Math.max(last, context.entries().value(i));
      }
    }
    return last;
  }
}
