// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.codec.VersionCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What this node has of all nodes, and the exchange of logs with others.
 *
 * <p>The idea: every log is a causal order, since a version joins after all that its node had seen.
 * Whoever takes another's log in order, leaving out what it has, therefore never lacks what a
 * version builds on, in the same record or in another. What a node has is told by one vector, its
 * <i>knowledge</i>. It does not grow with each version that comes, only with what the sender wrote
 * itself, and, when its log has been taken to the end, by its knowledge at that end (as in Bayou).
 * Of its own numbers, under whichever incarnation, a sender is believed; of those of third nodes
 * only as far as versions of them came here, since whoever claims more than it sent would keep this
 * node from asking for the rest. So a version that the sender itself holds back is never taken for
 * known, and a cut exchange resumes at its cursor without loss. For those that are no members any
 * more see {@link #ofFormer}.
 *
 * <p>The invariant: where the knowledge names {@code (node, n)}, every version of that node up to
 * {@code n} is in this log, or is refused here for good. What waits in {@link Table#HELD} lowers
 * what is told to others.
 *
 * <p>Source: Petersen et al., <i>Flexible update propagation for weakly consistent replication</i>,
 * 1997; the knowledge is that of Malkhi and Terry, <i>Concise version vectors in WinFS</i>, 2005.
 */
final class Replication {
  private static final byte[] KNOWN = "known".getBytes(StandardCharsets.UTF_8);

  /** How many versions one shipment looks at, sent or not. */
  private static final int LOOKED_AT_MAX = 50_000;

  private final Store store;
  private final Incarnations self;
  private final Receiver receiver;
  private final VersionIndex index;
  private final PutBack putBack;
  private final Witnesses witnesses;

  Replication(
      Store store,
      Incarnations self,
      Receiver receiver,
      VersionIndex index,
      PutBack putBack,
      Witnesses witnesses) {
    this.witnesses = witnesses;
    this.index = index;
    this.putBack = putBack;
    this.store = store;
    this.self = self;
    this.receiver = receiver;
  }

  static byte[] cursorKey(NodeId node) {
    return Keys.of("cursor", node.value());
  }

  /** Up to where the log of another node has been taken. */
  long cursor(NodeId node) {
    return number(store::get, cursorKey(node));
  }

  private static long number(History.Reader reader, byte[] key) {
    byte[] bytes = reader.get(Table.META, key);
    return bytes == null ? 0 : new ByteReader(bytes).u64();
  }

  private static VersionVector ofOthers(History.Reader reader) {
    byte[] bytes = reader.get(Table.META, KNOWN);
    return bytes == null ? VersionVector.EMPTY : CausalCodec.readVector(new ByteReader(bytes));
  }

  /** What this node has of all nodes, where its own log is durable up to a position. */
  VersionVector known(long position) {
    return known(ofOthers(), position);
  }

  private VersionVector known(NavigableMap<NodeId, Long> ofOthers, long position) {
    NavigableMap<NodeId, Long> known = new TreeMap<>(ofOthers);
    if (position > 0) {
      known.put(self.self(), position);
    }
    return VersionVector.of(known);
  }

  /** What this node has of others and of its former incarnations, save what waits to join. */
  private NavigableMap<NodeId, Long> ofOthers() {
    NavigableMap<NodeId, Long> known = new TreeMap<>();
    ofOthers(store::get).entries().forEach(known::put);
    self.former().entries().forEach((node, last) -> known.merge(node, last, Math::max));
    store.scan(
        Table.HELD,
        new byte[0],
        (key, _) -> {
          NodeId node = new NodeId(Keys.lastName(withoutNumber(key)));
          long before = Keys.lastNumber(key) - 1;
          known.computeIfPresent(node, (_, last) -> before == 0 ? null : Math.min(last, before));
          return true;
        });
    return known;
  }

  /**
   * The stretch of this log behind a position that somebody lacks.
   *
   * @param asker what the other has
   * @param bytesMax how much to send at most; at least one version goes where one is lacking
   * @throws PrunedException where the other lacks what is not kept here any more
   */
  Shipment ship(long after, VersionVector asker, int bytesMax) {
    // What is known of others first, then where the log ends: they change together, so all that is
    // named lies before that end. Whoever takes this believes that they have it, and nobody would
    // send it to them any more.
    NavigableMap<NodeId, Long> ofOthers = ofOthers();
    long position = position();
    VersionVector known = known(ofOthers, position);
    long begin = Math.min(after, position);
    VersionVector pruned = Pruning.dots(store::get);
    if (!asker.dominates(pruned)) {
      throw new PrunedException(
          self.self()
              + " does not keep all versions any more that you lack, up to "
              + pruned.entries()
              + "; begin anew on an empty directory, with a copy of a node");
    }
    Stretch stretch = new Stretch(asker, bytesMax, position);
    for (String tenant : tenants()) {
      stretch.add(Keys.of(tenant), begin);
    }
    return new Shipment(
        self.self(), begin, stretch.entries(), stretch.end, stretch.end == position, known);
  }

  /** The tenants that the log has versions of, in order. */
  List<String> tenants() {
    List<String> tenants = new ArrayList<>();
    for (byte[] tenant = firstTenant(new byte[0]);
        tenant.length > 0;
        tenant = firstTenant(Keys.after(tenant))) {
      tenants.add(Keys.firstName(tenant));
    }
    return tenants;
  }

  /** The prefix of the first tenant from a key on; empty where there is none. */
  private byte[] firstTenant(byte[] from) {
    List<byte[]> found = new ArrayList<>(1);
    store.scan(
        Table.LOG,
        from,
        null,
        false,
        (key, _) -> {
          found.add(withoutNumber(key));
          return false;
        });
    return found.isEmpty() ? new byte[0] : found.getFirst();
  }

  /** The versions with the lowest positions of all tenants, up to a size. */
  private final class Stretch {
    private final VersionVector asker;
    private final int bytesMax;
    private final NavigableMap<Long, byte[]> versions = new TreeMap<>();
    private long bytes;
    private long end;

    Stretch(VersionVector asker, int bytesMax, long end) {
      this.asker = asker;
      this.bytesMax = bytesMax;
      this.end = end;
    }

    void add(byte[] tenant, long after) {
      int[] lookedAt = {0};
      store.scan(
          Table.LOG,
          Keys.with(tenant, after + 1),
          Keys.after(tenant),
          false,
          (key, version) -> {
            long position = Keys.lastNumber(key);
            if (position > end) {
              return false;
            }
            if (!asker.contains(VersionCodec.dotOf(version))) {
              versions.put(position, version);
              bytes += version.length;
              shrink();
            }
            if (++lookedAt[0] >= LOOKED_AT_MAX) {
              end = Math.min(end, position);
            }
            return position < end;
          });
      shrink();
    }

    /** Leaves out what lies behind the end, and ends earlier while it is too large. */
    private void shrink() {
      while (!versions.isEmpty()
          && (versions.lastKey() > end || (bytes > bytesMax && versions.size() > 1))) {
        Map.Entry<Long, byte[]> last = versions.lastEntry();
        versions.remove(last.getKey());
        bytes -= last.getValue().length;
        end = Math.min(end, last.getKey() - 1);
      }
    }

    List<Shipment.Entry> entries() {
      List<Shipment.Entry> entries = new ArrayList<>(versions.size());
      versions.forEach((position, version) -> entries.add(new Shipment.Entry(position, version)));
      return entries;
    }
  }

  /**
   * Takes what another node has shipped, in order. What cannot be read ends it there: the rest is
   * asked for again, and other nodes may have it.
   */
  Intake take(Transaction transaction, Shipment shipment, Sender sender, long nowMillis) {
    NodeId from = shipment.from();
    if (from.equals(self.self())) {
      throw new IllegalArgumentException(
          "another node calls itself "
              + from
              + " too: its directory is a copy of this one's; remove one of the two");
    }
    Optional<Shipment.Entry> lost = putBack.evidence(shipment, transaction.lastNumber());
    long cursor = number(transaction::get, cursorKey(from));
    if (lost.isPresent()) {
      Optional<String> refused = putBack.renew(transaction, shipment, lost.get(), nowMillis);
      refused.ifPresent(
          _ -> receiver.receive(transaction, lost.get().version(), sender, nowMillis));
      return new Intake(0, 0, 0, refused.isPresent() ? 1 : 0, cursor, refused.orElse(""));
    }
    if (shipment.after() > cursor && putBack.isOfSelf(shipment)) {
      // The other took this node for one that had lost them, by a question that is older.
      return new Intake(0, 0, 0, 0, cursor, "");
    }
    if (shipment.after() > cursor) {
      return new Intake(0, 0, 0, 0, cursor, "it begins behind what was taken of this log");
    }
    int[] count = new int[4];
    Map<NodeId, Long> came = new TreeMap<>();
    long upTo = shipment.upTo();
    String problem = "";
    for (Shipment.Entry entry : shipment.entries()) {
      switch (receiver.receive(transaction, entry.version(), sender, nowMillis)) {
        case Receipt.Applied(Dot dot, long _) -> {
          count[0]++;
          came.merge(dot.node(), dot.number(), Math::max);
        }
        case Receipt.Seen(Dot dot) -> {
          count[1]++;
          came.merge(dot.node(), dot.number(), Math::max);
        }
        case Receipt.Held _ -> count[2]++;
        case Receipt.Violated _ -> count[3]++;
        case Receipt.Damaged damaged -> {
          problem = damaged.why();
          upTo = entry.position() - 1;
        }
      }
      if (!problem.isEmpty()) {
        break;
      }
    }
    receiver.settle(transaction, nowMillis);
    if (upTo > cursor) {
      transaction.put(Table.META, cursorKey(from), Keys.of(upTo));
    }
    if (shipment.complete() && problem.isEmpty()) {
      learn(transaction, shown(transaction, shipment, came));
      problem = putBack.skip(transaction, shipment, nowMillis);
    } else if (upTo > 0) {
      // What the sender wrote itself stands in its log in order, and nothing of it was left out.
      learn(transaction, VersionVector.of(Map.of(from, upTo)));
    }
    return new Intake(count[0], count[1], count[2], count[3], Math.max(upTo, cursor), problem);
  }

  /**
   * What a whole log proves of what its node says to have.
   *
   * @param came the last number of each author whose version came with it and is here
   */
  private VersionVector shown(Transaction transaction, Shipment shipment, Map<NodeId, Long> came) {
    VersionVector before = ofOthers(transaction::get);
    NavigableMap<NodeId, Long> shown = new TreeMap<>();
    shipment
        .known()
        .entries()
        .forEach((node, claimed) -> {
          long upTo =
              node.name().equals(shipment.from().name()) || claimed <= before.get(node)
                  ? claimed
                  : Math.max(
                      Math.max(index.last(node), came.getOrDefault(node, 0L)),
                      witnesses.hear(node, shipment.from().name(), claimed));
          if (Math.min(claimed, upTo) > 0) {
            shown.put(node, Math.min(claimed, upTo));
          }
        });
    shown.computeIfPresent(shipment.from(), (_, last) -> Math.min(last, shipment.upTo()));
    shown.values().removeIf(last -> last <= 0);
    return VersionVector.of(shown);
  }

  /**
   * What shows a node that asks that its directory went back: a version that it wrote, that is
   * here, and that lies behind all that it says to have written.
   */
  Optional<Shipment> lost(NodeId asker, long number) {
    VersionVector known = known(position());
    return known.get(asker) <= number
        ? Optional.empty()
        : index
            .firstBehind(asker, number)
            .map(entry ->
                new Shipment(
                    self.self(),
                    entry.position() - 1,
                    List.of(entry),
                    entry.position(),
                    false,
                    known));
  }

  private long position() {
    byte[] last = store.get(Table.META, Node.POSITION);
    return last == null ? 0 : new ByteReader(last).u64();
  }

  /** Takes note that this node has all that a vector names. */
  void learn(Transaction transaction, VersionVector known) {
    NavigableMap<NodeId, Long> others = new TreeMap<>();
    known.entries().forEach(others::put);
    others.remove(self.self());
    VersionVector before = ofOthers(transaction::get);
    VersionVector after = before.join(VersionVector.of(others));
    if (!after.equals(before)) {
      ByteWriter out = new ByteWriter();
      CausalCodec.write(out, after);
      transaction.put(Table.META, KNOWN, out.toBytes());
    }
  }

  /**
   * What this log has of nodes that are no members any more, and that is not known to be all they
   * wrote: it came with a part of the log of somebody who never sent the rest, and nobody else will
   * say so. A log is a causal order, so what it has of a node is all that this wrote until then;
   * save where something of it waits here.
   */
  VersionVector ofFormer(Collection<NodeId> members) {
    NavigableMap<NodeId, Long> last = new TreeMap<>();
    for (String tenant : tenants()) {
      byte[] prefix = Keys.of(tenant);
      byte[] first = end(prefix, prefix, false);
      while (first.length > 0) {
        byte[] author = withoutNumber(first);
        long number = Keys.lastNumber(end(author, author, true));
        last.merge(new NodeId(Keys.lastName(author)), number, Math::max);
        first = end(prefix, Keys.after(author), false);
      }
    }
    last.keySet().removeAll(members);
    store.scan(
        Table.HELD,
        new byte[0],
        (key, _) -> {
          last.remove(new NodeId(Keys.lastName(withoutNumber(key))));
          return true;
        });
    VersionVector known = ofOthers(store::get);
    last.entrySet().removeIf(each -> known.get(each.getKey()) >= each.getValue());
    return VersionVector.of(last);
  }

  private static byte[] withoutNumber(byte[] key) {
    return Arrays.copyOf(key, key.length - Long.BYTES);
  }

  /** The first or the last place of a version of others under a prefix; empty where is none. */
  private byte[] end(byte[] prefix, byte[] from, boolean last) {
    List<byte[]> found = new ArrayList<>(1);
    store.scan(
        Table.DOTS,
        from,
        Keys.after(prefix),
        last,
        (key, _) -> {
          found.add(key);
          return false;
        });
    return found.isEmpty() ? new byte[0] : found.getFirst();
  }
}
