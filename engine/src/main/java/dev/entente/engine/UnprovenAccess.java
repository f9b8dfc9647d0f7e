// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Version;
import dev.entente.engine.store.Store;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * Versions of what operators decide for all nodes (accounts, tokens, webhooks, freezes, retention,
 * approvals) that came from other nodes without a proof that is trusted here. They are refused for
 * good and have no effect. They are counted by the node that sent them, since the author that a
 * version names is only a claim; the audit log holds the first of each sender whole. However many
 * senders there seem to be, a fixed number is listed and the rest is counted together. Written by
 * the sequencer's thread only; any thread may read.
 */
public final class UnprovenAccess {
  /** How many versions of a sender the audit log holds; the rest is counted. */
  static final int AUDITED_MAX = 100;

  private final SenderTable<Refused> senders;
  private final Supplier<AccessKeys> keys;
  private final BiConsumer<Version, CausalViolation> told;

  /**
   * What one node sent.
   *
   * @param from who sent it
   * @param numberedBy the node whose number the last of them bears
   * @param count how many versions were refused
   * @param firstMillis when the first was, in milliseconds since 1970
   * @param lastMillis when the last was
   * @param last the record that the last was about
   * @param signer the key that signed all of them, as text; empty where none did
   */
  public record Refused(
      Sender from,
      String numberedBy,
      long count,
      long firstMillis,
      long lastMillis,
      String last,
      String signer)
      implements SenderTable.Entry {
    @Override
    public byte[] toBytes() {
      return new ByteWriter()
          .text(from.node())
          .text(from.url())
          .text(numberedBy)
          .u64(count)
          .u64(firstMillis)
          .u64(lastMillis)
          .text(last)
          .text(signer)
          .toBytes();
    }

    private static Refused of(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      return new Refused(
          new Sender(in.text(), in.text()),
          in.text(),
          in.u64(),
          in.u64(),
          in.u64(),
          in.text(),
          in.text());
    }

    private Json toJson() {
      return JsonObject.of(
          Map.of(
              "node", Json.of(from.node()),
              "url", Json.of(from.url()),
              "numberedBy", Json.of(numberedBy),
              "count", Json.of(count),
              "firstAt", Json.of(Instant.ofEpochMilli(firstMillis).toString()),
              "lastAt", Json.of(Instant.ofEpochMilli(lastMillis).toString()),
              "lastRecord", Json.of(last),
              "signer", Json.of(signer)));
    }
  }

  UnprovenAccess(
      Store store, Supplier<AccessKeys> keys, BiConsumer<Version, CausalViolation> told) {
    this.senders =
        new SenderTable<>(
            store, "unproven-access-by-sender", "unproven-access-of-others", Refused::of);
    this.keys = keys;
    this.told = told;
  }

  /** Whether a version may join as far as its proof is concerned. */
  boolean allows(Transaction transaction, Version version, Sender sender) {
    boolean allowed = isAllowed(version);
    if (allowed && Registry.needsProof(version.key()) && version.proof().isPresent()) {
      String signer = AccessKeys.text(version.proof().get().signer());
      // All that was refused may bear the signature of a key that has been named since.
      senders
          .get(transaction, sender)
          .filter(refused -> refused.signer().equals(signer))
          .ifPresent(refused -> senders.forget(transaction, refused.from()));
    }
    return allowed;
  }

  /** The same; notes nothing. */
  boolean isAllowed(Version version) {
    return Registry.needsProof(version.key())
        ? keys.get().isProven(version)
        : !keys.get().isPresent() || !Registry.isOfAnother(version.key(), version.dot().node());
  }

  /** Refuses a version. */
  Receipt refuse(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    VersionIndex.refused(transaction, version.dot(), bytes, sender);
    String why =
        note(
            transaction,
            version,
            bytes,
            sender,
            ", which changes " + version.key() + " and",
            nowMillis);
    return new Receipt.Violated(version.dot(), CausalViolation.UNPROVEN_ACCESS, why);
  }

  /** Tells of a version that erases a record without a proof: it hides what is there. */
  void erases(
      Transaction transaction, Version version, byte[] bytes, Sender sender, long nowMillis) {
    if (!keys.get().isProven(version)) {
      note(
          transaction,
          version,
          bytes,
          sender,
          ", which erases " + version.key() + " and hides what it held, which is kept here: it",
          nowMillis);
    }
  }

  /** Counts what a sender sent, and tells why. */
  private String note(
      Transaction transaction,
      Version version,
      byte[] bytes,
      Sender sender,
      String what,
      long nowMillis) {
    String signer = AccessKeys.signerOf(version);
    long count =
        senders.count(
            transaction,
            new Refused(sender, "", 0, nowMillis, nowMillis, "", signer),
            before ->
                new Refused(
                    sender,
                    version.dot().node().name(),
                    before.count() + 1,
                    before.firstMillis(),
                    nowMillis,
                    version.key().toString(),
                    before.signer().equals(signer) ? signer : ""));
    String why =
        sender
            + " sent "
            + version.dot()
            + what
            + " is signed by no administrator that this node trusts; if "
            + version.dot().node().name()
            + " may do that, name its access key on this node and ask for it again with"
            + " verify --cluster --mend";
    if (count <= AUDITED_MAX) {
      VersionWriter.auditViolation(
          transaction,
          version.key(),
          version.author(),
          CausalViolation.UNPROVEN_ACCESS,
          why,
          bytes);
    }
    transaction.afterwards(() -> told.accept(version, CausalViolation.UNPROVEN_ACCESS));
    return why;
  }

  /** What was refused, by who sent it; the largest number first. */
  public List<Refused> bySender() {
    return senders.entries().stream()
        .sorted(Comparator.comparingLong(Refused::count).reversed())
        .toList();
  }

  /** How many versions were refused of senders that are not listed. */
  public long ofOthers() {
    return senders.ofOthers();
  }

  /** What was refused, as JSON. */
  public JsonObject toJson() {
    return JsonObject.of(
        Map.of(
            "senders", Json.of(bySender().stream().map(Refused::toJson).toList()),
            "others", Json.of(ofOthers())));
  }

  /**
   * Forgets what a node sent, once it has departed.
   *
   * @param url its address; empty where it has none
   */
  void forget(Transaction transaction, String node, String url) {
    senders.forget(
        transaction,
        from -> from.node().equals(node) || (!url.isEmpty() && from.url().equals(url)));
  }
}
