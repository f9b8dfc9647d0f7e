// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.ByteReader.DamagedException;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks a node's audit chain against itself and against the log: every entry continues the hash of
 * the one before, none is missing, and every version is the one that the audit log speaks of.
 *
 * @param entries how many audit entries were checked
 * @param versions how many versions they vouch for
 * @param broken the first broken link, in words; empty where all is well
 */
public record Verification(long entries, long versions, Optional<String> broken) {

  /** Checks a store, whoever runs on it; {@code progress} is told every ten thousandth entry. */
  static Verification of(Store store, long position, LongConsumer progress) {
    Checker checker = new Checker(store, position, progress);
    store.scan(Table.AUDIT, new byte[0], null, false, checker::visit);
    if (checker.broken == null) {
      checker.checkLogEnd();
    }
    return new Verification(
        checker.sequence, checker.versions, Optional.ofNullable(checker.broken));
  }

  private static final class Checker {
    private final Store store;

    /**
     * Up to here everything was durable when the check began; what is written meanwhile is not
     * counted.
     */
    private final long position;

    private final LongConsumer progress;
    private byte[] hash = new byte[AuditCodec.HASH_BYTES];
    private long sequence;
    private long versions;
    private long versionsUpToPosition;
    private @Nullable String broken;

    Checker(Store store, long position, LongConsumer progress) {
      this.store = store;
      this.position = position;
      this.progress = progress;
    }

    boolean visit(byte[] key, byte[] stored) {
      long number = Keys.lastNumber(key);
      if (number != sequence + 1) {
        broken = "audit entry " + (sequence + 1) + " is missing; the next one is " + number;
        return false;
      }
      if (stored.length < AuditCodec.HASH_BYTES) {
        broken = "audit entry " + number + " is cut short";
        return false;
      }
      byte[] body = Arrays.copyOf(stored, stored.length - AuditCodec.HASH_BYTES);
      byte[] claimed = Arrays.copyOfRange(stored, body.length, stored.length);
      if (!Arrays.equals(claimed, AuditCodec.hash(hash, body))) {
        broken =
            "audit entry "
                + number
                + " does not continue the chain: it, or the entry before it, was changed";
        return false;
      }
      hash = claimed;
      sequence = number;
      if (number % 10_000 == 0) {
        progress.accept(number);
      }
      return versionIsTheOneSpokenOf(number, stored);
    }

    private boolean versionIsTheOneSpokenOf(long number, byte[] stored) {
      AuditEntry entry;
      try {
        entry = AuditCodec.fromBytes(stored);
      } catch (DamagedException e) {
        broken = "audit entry " + number + " cannot be read: " + e.getMessage();
        return false;
      }
      if (entry.sequence() != number) {
        broken = "audit entry " + number + " says that it is " + entry.sequence();
        return false;
      }
      if (entry.detail() instanceof JsonObject detail
          && detail.get("version") instanceof JsonString(String claimed)
          && detail.get("position") instanceof JsonNumber position) {
        byte[] version = store.get(Table.LOG, History.logKey(entry.tenant(), position.longValue()));
        if (version == null || !Hashes.hex(version).equals(claimed)) {
          broken =
              "version "
                  + position
                  + " is "
                  + (version == null ? "missing" : "not the one")
                  + " that audit entry "
                  + number
                  + " vouches for";
          return false;
        }
        versions++;
        versionsUpToPosition += position.longValue() <= this.position ? 1 : 0;
      }
      return true;
    }

    /** Every version must have been vouched for; those behind the last audit entry are not. */
    void checkLogEnd() {
      long[] count = {0};
      store.scan(
          Table.LOG,
          new byte[0],
          null,
          false,
          (key, _) -> {
            count[0] += Keys.lastNumber(key) <= position ? 1 : 0;
            return true;
          });
      if (count[0] != versionsUpToPosition) {
        broken =
            "the log holds "
                + count[0]
                + " versions but the audit log vouches for "
                + versionsUpToPosition;
      }
    }
  }
}
