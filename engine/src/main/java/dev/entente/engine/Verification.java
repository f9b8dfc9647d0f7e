// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import dev.entente.engine.codec.AuditCodec;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks a node's audit chain against itself and against the log: every entry continues the hash of
 * the one before, none is missing, and every version is the one that the audit log speaks of, or
 * was let go as the audit log says; so was what an erased entry said.
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
      checker.checkErased();
    }
    if (checker.broken == null) {
      checker.checkPruned();
    }
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

    /** By tenant: what is not there, and what was said to be let go. */
    private final Map<String, HashSum> missing = new HashMap<>();

    private final Map<String, HashSum> pruned = new HashMap<>();
    private final Map<String, Long> firstMissing = new HashMap<>();

    /** The entries that say nothing any more, and those of which a later entry says so. */
    private final HashSum erased = new HashSum();

    private final HashSum saidErased = new HashSum();

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
      if (AuditCodec.isErased(stored)) {
        erased.add(number, Hashes.of(stored));
      } else if (!Arrays.equals(claimed, AuditCodec.hash(hash, body))) {
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
        if (version == null) {
          missing(entry.tenant()).add(position.longValue(), HexFormat.of().parseHex(claimed));
          firstMissing.putIfAbsent(entry.tenant(), number);
          return true;
        }
        if (!Hashes.hex(version).equals(claimed)) {
          broken =
              "version " + position + " is not the one that audit entry " + number + " vouches for";
          return false;
        }
        versions++;
        versionsUpToPosition += position.longValue() <= this.position ? 1 : 0;
      }
      if (!AuditCodec.isErased(stored) && entry.detail() instanceof JsonObject detail) {
        if (entry.action().equals(Pruning.ACTION)
            || entry.action().equals(Erasures.ACTION)
            || entry.action().equals(Mending.ACTION)) {
          HashSum.in(detail)
              .ifPresent(pruned.computeIfAbsent(entry.tenant(), _ -> new HashSum())::add);
        }
        if (entry.action().equals(Erasures.ACTION)
            && detail.get(Erasures.ENTRIES) instanceof JsonObject entries) {
          HashSum.in(entries).ifPresent(saidErased::add);
        }
      }
      return true;
    }

    private HashSum missing(String tenant) {
      return missing.computeIfAbsent(tenant, _ -> new HashSum());
    }

    /** What says nothing any more must be what a later entry says was erased. */
    void checkErased() {
      if (!erased.isSameAs(saidErased)) {
        broken =
            erased.count()
                + " audit entries are erased, but "
                + (erased.count() == saidErased.count()
                    ? "not those that the audit log says were"
                    : "the audit log says so of " + saidErased.count());
      }
    }

    /** What is missing must be what the audit log says was let go. */
    void checkPruned() {
      Set<String> tenants = new TreeSet<>(missing.keySet());
      tenants.addAll(pruned.keySet());
      for (String tenant : tenants) {
        HashSum told = pruned.getOrDefault(tenant, new HashSum());
        if (broken == null && !missing(tenant).isSameAs(told)) {
          broken =
              "the log lacks "
                  + missing(tenant).count()
                  + " versions of "
                  + tenant
                  + " that the audit log vouches for, the first of them in entry "
                  + firstMissing.getOrDefault(tenant, 0L)
                  + "; "
                  + (told.count() == missing(tenant).count()
                      ? "others were let go as too old"
                      : told.count() + " were let go as too old");
        }
      }
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
