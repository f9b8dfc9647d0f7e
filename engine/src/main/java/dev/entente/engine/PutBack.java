// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.Version;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Notices, by what other nodes send, that this node's directory was replaced by an earlier state of
 * itself, and has the node continue under its next incarnation, so that it gives no number twice.
 *
 * <p>Another node that only says that it has more of this one is not believed: it has to send a
 * version that this node numbered and does not have. A node may be renamed a few times an hour, so
 * that whoever invents such versions does not keep it from working. Where a whole log was taken and
 * held no such version, nothing is lost but numbers under which nothing was written; then this node
 * leaves out the numbers in question, which costs nothing, and a bounded count of them.
 */
final class PutBack {
  /** So often a node may be renamed in {@link #RENEWALS_MILLIS}. */
  static final int RENEWALS_MAX = 4;

  static final long RENEWALS_MILLIS = 60 * 60_000;

  /** So many numbers are left out in {@link #SKIPS_MILLIS}. */
  static final long SKIPPED_MAX = 1L << 20;

  static final long SKIPS_MILLIS = 60_000;

  private static final byte[] RENEWED = Keys.of("renewed-at");

  private final Incarnations self;
  private final LongSupplier incarnations;
  private long skipsSinceMillis = Long.MIN_VALUE;
  private long skipped;

  PutBack(Incarnations self, LongSupplier incarnations) {
    this.self = self;
    this.incarnations = incarnations;
  }

  /** A version that this node numbered behind the last number that it knows of. */
  Optional<Shipment.Entry> evidence(Shipment shipment, long lastNumber) {
    return shipment.entries().stream()
        .filter(entry -> ownNumber(entry.version()) > lastNumber)
        .findFirst();
  }

  /**
   * The number of a version of this node; 0 of any other, of what is no version, and of what no
   * node can have written.
   */
  private long ownNumber(byte[] bytes) {
    try {
      if (!VersionCodec.dotOf(bytes).node().equals(self.self())) {
        return 0;
      }
      Version version = VersionCodec.fromBytes(bytes);
      return VersionCodec.problem(version, bytes).isEmpty() ? version.dot().number() : 0;
    } catch (DamagedException | IllegalArgumentException e) {
      return 0;
    }
  }

  /** Whether a shipment holds nothing but versions of this node. */
  boolean isOfSelf(Shipment shipment) {
    return !shipment.entries().isEmpty()
        && shipment.entries().stream().allMatch(entry -> ownNumber(entry.version()) > 0);
  }

  /**
   * Has the node continue under its next incarnation, and stops it.
   *
   * @return why not, where that was done too often; empty where it is done
   */
  Optional<String> renew(
      Transaction transaction, Shipment shipment, Shipment.Entry lost, long nowMillis) {
    long number = VersionCodec.dotOf(lost.version()).number();
    String from = shipment.from().value();
    List<Long> times = times(transaction);
    times.removeIf(time -> time > nowMillis || time < nowMillis - RENEWALS_MILLIS);
    if (times.size() >= RENEWALS_MAX) {
      return Optional.of(
          from
              + " sends version "
              + number
              + " of "
              + self.self()
              + ", which this directory does not have; it was renamed "
              + RENEWALS_MAX
              + " times within an hour for such versions and is not renamed again before that is"
              + " over. Take that node out if it invents them");
    }
    times.add(nowMillis);
    ByteWriter out = new ByteWriter();
    times.forEach(out::u64);
    transaction.put(Table.META, RENEWED, out.toBytes());
    Incarnations next = self.next(transaction.lastNumber(), incarnations.getAsLong());
    next.write(transaction::put);
    String why =
        from
            + " has what "
            + self.self()
            + " wrote up to "
            + Math.max(number, shipment.known().get(self.self()))
            + ", this directory only up to "
            + transaction.lastNumber()
            + ": it was restored from an older state. The node continues as "
            + next.self()
            + " when it is started again, and gets the rest from the others";
    audit(transaction, next.self().value(), "incarnation", why);
    // Under the old name it would give numbers that others have already.
    transaction.end();
    transaction.afterwards(() -> {
      throw new NodeRestoredException(why);
    });
    return Optional.empty();
  }

  private static List<Long> times(Transaction transaction) {
    List<Long> times = new ArrayList<>();
    byte[] stored = transaction.get(Table.META, RENEWED);
    if (stored != null) {
      ByteReader in = new ByteReader(stored);
      while (!in.atEnd()) {
        times.add(in.u64());
      }
    }
    return times;
  }

  /**
   * Leaves out the numbers that a node says to have of this one though its whole log, which has
   * been taken, held no version under them.
   *
   * @return what is wrong with what it says; empty where nothing is
   */
  String skip(Transaction transaction, Shipment shipment, long nowMillis) {
    long last = transaction.lastNumber();
    long claimed = shipment.known().get(self.self());
    if (claimed <= last) {
      return "";
    }
    boolean begins =
        skipsSinceMillis == Long.MIN_VALUE
            || nowMillis - skipsSinceMillis >= SKIPS_MILLIS
            || nowMillis < skipsSinceMillis;
    if (begins) {
      skipsSinceMillis = nowMillis;
      skipped = 0;
    }
    long step = Math.min(claimed - last, SKIPPED_MAX - skipped);
    if (step > 0) {
      skipped += step;
      transaction.skipTo(last + step);
    }
    String why =
        shipment.from()
            + " says that it has "
            + claimed
            + " numbers of this node, which has given "
            + last
            + ", and sends no version under them";
    if (begins) {
      audit(transaction, self.self().value(), "numbers-left-out", why);
    }
    return last + step < claimed ? why : "";
  }

  private static void audit(Transaction transaction, String subject, String action, String why) {
    transaction.audit(
        transaction.clock().next(),
        "",
        Proceedings.POLICY,
        action,
        subject,
        JsonObject.of("why", Json.of(why)));
  }
}
