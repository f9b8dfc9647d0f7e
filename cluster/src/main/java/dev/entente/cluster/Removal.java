// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Proof;
import java.util.Comparator;
import java.util.Optional;

/**
 * An operator's word that a node was removed from the cluster, and whether it was admitted again
 * since. Of several about one node the latest holds.
 *
 * @param node a name, for every incarnation of it; or one incarnation
 * @param removedAtMillis when it was removed, by the clock of the node where the operator said so
 * @param admittedAtMillis when it was admitted again; 0 where it was not
 * @param proof the signature of an administrator's key; empty where nodes demand none
 */
public record Removal(
    NodeId node, long removedAtMillis, long admittedAtMillis, Optional<Proof> proof) {
  private static final String STATEMENT = "entente removal 1";

  /** The later word last; of two of one time the removal. */
  static final Comparator<Removal> LATEST_LAST =
      Comparator.comparingLong(Removal::saidAtMillis)
          .thenComparing(Removal::isInForce)
          .thenComparingLong(Removal::removedAtMillis);

  public Removal {
    if (removedAtMillis <= 0 || admittedAtMillis < 0) {
      throw new IllegalArgumentException("a node is removed at a time");
    }
  }

  private long saidAtMillis() {
    return Math.max(removedAtMillis, admittedAtMillis);
  }

  /** Whether the node is removed now. */
  public boolean isInForce() {
    return admittedAtMillis <= removedAtMillis;
  }

  /** Whether it is about a node. */
  boolean covers(NodeId other) {
    return other.answersTo(node);
  }

  /** What its proof is of. */
  byte[] statement() {
    return new ByteWriter()
        .text(STATEMENT)
        .text(node.value())
        .u64(removedAtMillis)
        .u64(admittedAtMillis)
        .toBytes();
  }

  Removal with(Optional<Proof> signed) {
    return new Removal(node, removedAtMillis, admittedAtMillis, signed);
  }

  void write(ByteWriter out) {
    out.text(node.value()).varint(removedAtMillis).varint(admittedAtMillis);
    out.u8(proof.isPresent() ? 1 : 0);
    proof.ifPresent(
        by -> out.raw(by.signer().toBytes()).raw(by.first().toBytes()).raw(by.second().toBytes()));
  }

  static Removal read(ByteReader in) {
    return new Removal(
        new NodeId(in.text()),
        in.varint(),
        in.varint(),
        in.u8() == 1
            ? Optional.of(new Proof(fingerprint(in), fingerprint(in), fingerprint(in)))
            : Optional.empty());
  }

  private static Fingerprint fingerprint(ByteReader in) {
    return Fingerprint.of(in.raw(Fingerprint.BYTES));
  }
}
