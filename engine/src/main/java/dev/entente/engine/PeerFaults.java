// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.VersionRules;
import dev.entente.engine.store.Store;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What other nodes sent although no node may send it, such as versions that break {@link
 * VersionRules}. It is refused and has no effect. Such versions are refused for good: all nodes
 * refuse the same ones, so nothing lacks them. Faults are counted by the node that sent them, which
 * is to blame, since nodes pass on only what they accepted; the audit log holds the first of each
 * sender. Written by the sequencer's thread only; any thread may read.
 */
public final class PeerFaults {
  /** How many faults of a sender the audit log holds; the rest is counted. */
  static final int AUDITED_MAX = 100;

  /** How much of what was sent the audit log holds. */
  private static final int AUDITED_BYTES_MAX = 16 << 10;

  /** How much is told of what was sent. */
  private static final int TEXT_MAX = 500;

  /** Under which record the audit log and metrics name all of them: no name in them is trusted. */
  private static final RecordKey RECORD = new RecordKey(Registry.TENANT, "node", "peer-faults");

  private final SenderTable<Refused> senders;
  private final Consumer<NodeEvent> told;

  /**
   * What one node sent.
   *
   * @param from who sent it
   * @param count how often something was refused
   * @param firstMillis when the first was, in milliseconds since 1970
   * @param lastMillis when the last was
   * @param last what that was, and why it was refused
   */
  public record Refused(Sender from, long count, long firstMillis, long lastMillis, String last)
      implements SenderTable.Entry {
    @Override
    public byte[] toBytes() {
      return new ByteWriter()
          .text(from.node())
          .text(from.url())
          .u64(count)
          .u64(firstMillis)
          .u64(lastMillis)
          .text(last)
          .toBytes();
    }

    private static Refused of(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      return new Refused(new Sender(in.text(), in.text()), in.u64(), in.u64(), in.u64(), in.text());
    }

    /** As JSON. */
    public JsonObject toJson() {
      return JsonObject.of(
          Map.of(
              "node", Json.of(from.node()),
              "url", Json.of(from.url()),
              "count", Json.of(count),
              "firstAt", Json.of(Instant.ofEpochMilli(firstMillis).toString()),
              "lastAt", Json.of(Instant.ofEpochMilli(lastMillis).toString()),
              "last", Json.of(last)));
    }
  }

  PeerFaults(Store store, Consumer<NodeEvent> told) {
    this.senders = new SenderTable<>(store, "peer-faults", "peer-faults-of-others", Refused::of);
    this.told = told;
  }

  /** Notes that a version was refused. */
  Receipt refuse(
      Transaction transaction, Dot dot, byte[] bytes, String why, Sender sender, long nowMillis) {
    note(transaction, sender, dot + ": " + why, bytes, nowMillis);
    VersionIndex.refused(transaction, dot, bytes, sender);
    transaction.afterwards(
        () -> told.accept(new NodeEvent.Violated(RECORD, CausalViolation.INVALID_VERSION)));
    return new Receipt.Violated(dot, CausalViolation.INVALID_VERSION, why);
  }

  /**
   * Notes that something was refused.
   *
   * @param what what it was, and why it was refused
   * @param bytes what was sent; may be empty
   */
  void note(Transaction transaction, Sender sender, String what, byte[] bytes, long nowMillis) {
    String last = what.length() > TEXT_MAX ? what.substring(0, TEXT_MAX) + "…" : what;
    long count =
        senders.count(
            transaction,
            new Refused(sender, 0, nowMillis, nowMillis, ""),
            before ->
                new Refused(sender, before.count() + 1, before.firstMillis(), nowMillis, last));
    if (count <= AUDITED_MAX) {
      VersionWriter.auditViolation(
          transaction,
          RECORD,
          Proceedings.POLICY,
          CausalViolation.INVALID_VERSION,
          sender + " sent " + last,
          Arrays.copyOf(bytes, Math.min(bytes.length, AUDITED_BYTES_MAX)));
    }
  }

  /** What was refused, by who sent it. */
  public List<Refused> bySender() {
    return senders.entries();
  }

  /** How often something was refused of senders that are not listed. */
  public long ofOthers() {
    return senders.ofOthers();
  }

  /** Forgets what a node sent, once it has departed. */
  void forget(Transaction transaction, String node) {
    senders.forget(transaction, from -> from.node().equals(node));
  }
}
