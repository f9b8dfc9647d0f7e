// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * Versions of accounts and tokens that came from other nodes without a proof that is trusted here.
 * They are refused for good and have no effect. Who sent how many of them is kept until the node
 * departs; the audit log holds the first of them whole. Written by the sequencer's thread only; any
 * thread may read.
 */
public final class UnprovenAccess {
  /** What is never copied to another node, since it says what this one has met. */
  private static final byte[] PREFIX = Keys.of("kept", "unproven-access");

  /** How many of a node are kept whole; the rest is counted. */
  private static final int AUDITED_MAX = 100;

  private final Store store;
  private final Supplier<AccessKeys> keys;
  private final BiConsumer<Version, CausalViolation> told;

  /**
   * What one node sent.
   *
   * @param count how many versions were refused
   * @param firstMillis when the first was, in milliseconds since 1970
   * @param lastMillis when the last was
   * @param last the record that the last was about
   */
  public record Refused(long count, long firstMillis, long lastMillis, String last) {
    private byte[] toBytes() {
      return new ByteWriter().u64(count).u64(firstMillis).u64(lastMillis).text(last).toBytes();
    }

    private static Refused of(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      return new Refused(in.u64(), in.u64(), in.u64(), in.text());
    }
  }

  UnprovenAccess(
      Store store, Supplier<AccessKeys> keys, BiConsumer<Version, CausalViolation> told) {
    this.store = store;
    this.keys = keys;
    this.told = told;
  }

  /** Whether a version may join as far as its proof is concerned. */
  boolean allows(Transaction transaction, Version version) {
    if (!Registry.isAccess(version.key())) {
      return true;
    }
    boolean proven = keys.get().isProven(version);
    if (proven) {
      forget(transaction, version.dot().node().name());
    }
    return proven;
  }

  /** Notes that a version was refused. */
  Receipt refuse(Transaction transaction, Version version, byte[] bytes, long nowMillis) {
    String node = version.dot().node().name();
    byte[] at = key(node);
    byte[] stored = transaction.get(Table.META, at);
    Refused before = stored == null ? new Refused(0, nowMillis, nowMillis, "") : Refused.of(stored);
    Refused after =
        new Refused(before.count() + 1, before.firstMillis(), nowMillis, version.key().toString());
    transaction.put(Table.META, at, after.toBytes());
    String why =
        version.dot()
            + " says what "
            + version.key()
            + " may do, and is signed by no administrator that this node trusts; if "
            + node
            + " may grant access, name its access key on this node and ask for it again with"
            + " verify --cluster --mend";
    if (after.count() <= AUDITED_MAX) {
      VersionWriter.auditViolation(
          transaction,
          version.key(),
          version.author(),
          CausalViolation.UNPROVEN_ACCESS,
          why,
          bytes);
    }
    transaction.afterwards(() -> told.accept(version, CausalViolation.UNPROVEN_ACCESS));
    return new Receipt.Violated(version.dot(), CausalViolation.UNPROVEN_ACCESS, why);
  }

  private static byte[] key(String node) {
    return Keys.of("kept", "unproven-access", node);
  }

  /** What was refused, by the name of the node that is said to have written it. */
  public Map<String, Refused> byNode() {
    Map<String, Refused> all = new TreeMap<>();
    store.scan(
        Table.META,
        PREFIX,
        (key, stored) -> {
          all.put(Keys.lastName(key), Refused.of(stored));
          return true;
        });
    return all;
  }

  /** Forgets what a node sent, once it has departed or is trusted. */
  void forget(Transaction transaction, String node) {
    if (transaction.get(Table.META, key(node)) != null) {
      transaction.delete(Table.META, key(node));
    }
  }
}
