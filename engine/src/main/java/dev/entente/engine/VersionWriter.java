// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.record.VersionRules;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one way in which a version gets into the log, whoever authored it. Preparing applies it to
 * its record, derives the record anew and checks the result; nothing is changed by that, so that
 * several versions can be prepared before the first is written. Writing stores it, brings up to
 * date what follows records, and adds the audit entry. Used by the sequencer's thread only.
 */
final class VersionWriter {
  private final Policies policies;
  private final History history;
  private final Derived derived;
  private final VersionChecks checks;
  private final Supplier<AccessKeys> access;

  VersionWriter(
      Policies policies,
      History history,
      Derived derived,
      VersionChecks checks,
      Supplier<AccessKeys> access) {
    this.access = access;
    this.policies = policies;
    this.history = history;
    this.derived = derived;
    this.checks = checks;
  }

  /** What became of preparing a version. */
  sealed interface Prepared {}

  /** It breaks a check, or cannot be applied. */
  record Refused(Rejected why) implements Prepared {}

  /**
   * It may be written.
   *
   * @param encoded the state after it, where it has been encoded already
   * @param resolutions the conflicts that it takes part in
   */
  record Ready(
      WriteOrigin origin,
      Version version,
      Snapshot before,
      Snapshot after,
      Policy policy,
      byte @Nullable [] encoded,
      List<Resolution> resolutions)
      implements Prepared {
    Ready {
      resolutions = List.copyOf(resolutions);
    }
  }

  /**
   * Gives it a number, joins it to its record and checks the result. Whoever does not write what is
   * ready gives its number back with {@link #abandon}.
   */
  Prepared prepare(Transaction transaction, Authored authored) {
    RecordKey key = authored.key();
    Policy policy = policies.inForce(key.tenant(), key.type());
    Optional<Rejected> refused = checks.before(transaction, authored, policy);
    if (refused.isPresent()) {
      return new Refused(refused.get());
    }
    Version version = version(transaction, authored);
    Optional<String> problem = VersionRules.problem(version);
    if (problem.isPresent()) {
      transaction.takeBackDot();
      return new Refused(new Rejected(Code.INVALID, problem.get(), Optional.empty()));
    }
    Prepared prepared;
    try {
      RecordState state = joined(transaction, authored.before(), version);
      prepared = checked(transaction, authored, version, state, policy);
    } catch (ArithmeticException e) {
      prepared =
          new Refused(
              new Rejected(Code.INVALID, "a counter would leave its 64 bits", Optional.empty()));
    }
    if (prepared instanceof Refused) {
      transaction.takeBackDot();
    }
    return prepared;
  }

  private Prepared checked(
      Transaction transaction,
      Authored authored,
      Version version,
      RecordState state,
      Policy policy) {
    byte[] encoded = StateCodec.toBytes(state);
    Optional<Rejected> refused = checks.size(authored, state, encoded.length);
    if (refused.isPresent()) {
      return new Refused(refused.get());
    }
    Snapshot after = Records.derived(authored.key(), state, policy);
    List<Resolution> mine = concerning(version.dot(), after.view());
    refused =
        checks.after(
            transaction,
            authored,
            version,
            after,
            policy,
            mine,
            () -> past(transaction, transaction.snapshot(authored.key())));
    return refused.isPresent()
        ? new Refused(refused.get())
        : new Ready(authored.origin(), version, authored.before(), after, policy, encoded, mine);
  }

  private Version version(Transaction transaction, Authored authored) {
    HybridTime now = transaction.clock().next();
    Dot dot = transaction.nextDot();
    Version version =
        Version.builder(dot, authored.key())
            .previous(authored.before().state().context().get(dot.node()))
            .context(authored.context())
            .acceptedAt(now)
            .time(authored.request().flatMap(WriteRequest::at).orElse(now))
            .author(authored.author())
            .device(authored.request().flatMap(WriteRequest::device))
            .eventId(authored.request().flatMap(WriteRequest::requestId).map(id -> id.substring(1)))
            .note(authored.note())
            .changes(authored.changes())
            .clockErrorMillis(transaction.clockErrorMillis())
            .origin(authored.sentBy())
            .build();
    return Registry.isSigned(version) ? access.get().prove(version) : version;
  }

  private RecordState joined(Transaction transaction, Snapshot before, Version version) {
    return switch (before.state().apply(version, () -> past(transaction, before))) {
      case RecordState.Applied.Joined(RecordState state) -> state;
      case RecordState.Applied.Seen(), RecordState.Applied.Missing _ ->
          throw new IllegalStateException(
              "a version of our own does not follow our own state: " + version.dot());
    };
  }

  private Past past(Transaction transaction, Snapshot before) {
    return history.past(before.key(), history.last(before, transaction), transaction);
  }

  /** Gives back the number of what was prepared last and is not written. */
  void abandon(Transaction transaction, Ready unwritten) {
    if (unwritten.version().dot().number() != transaction.lastNumber()) {
      throw new IllegalStateException("another version was numbered since");
    }
    transaction.takeBackDot();
  }

  /** A version of another node, once it has joined its record. It is not refused. */
  Ready received(Version version, Snapshot before, RecordState joined) {
    return joined(WriteOrigin.RECEIVED, version, before, joined);
  }

  /** A version that is written again under a number of this node, once it has joined its record. */
  Ready mended(Version version, Snapshot before, RecordState joined) {
    return joined(WriteOrigin.MENDED, version, before, joined);
  }

  private Ready joined(WriteOrigin origin, Version version, Snapshot before, RecordState joined) {
    RecordKey key = version.key();
    Policy policy = policies.inForce(key.tenant(), key.type());
    Snapshot after = Records.derived(key, joined, policy);
    return new Ready(
        origin, version, before, after, policy, null, concerning(version.dot(), after.view()));
  }

  /**
   * Stores a version, with all that follows from it.
   *
   * @param time when this node writes it
   * @param more what the audit entry says besides
   */
  void write(Transaction transaction, Ready ready, HybridTime time, Map<String, Json> more) {
    Version version = ready.version();
    RecordKey key = version.key();
    boolean received = ready.origin() == WriteOrigin.RECEIVED;
    byte[] bytes =
        received
            ? transaction.putReceived(version, ready.before(), ready.after())
            : ready.encoded() == null
                ? transaction.put(version, ready.before(), ready.after())
                : transaction.put(version, ready.before(), ready.after(), ready.encoded());
    // Others may have been numbered since, which are prepared and not yet written.
    long position = received ? transaction.lastNumber() : version.dot().number();
    if (received) {
      transaction.put(Table.DOTS, Receiver.dotKey(key.tenant(), version.dot()), Keys.of(position));
    }
    if (!transaction.isDraft()) {
      derived.erasures().follow(transaction, version, position);
    }
    derived.follow(
        transaction,
        ready.before(),
        ready.after(),
        ready.policy(),
        version.author(),
        time.millis());
    Map<String, Json> detail = new TreeMap<>(more);
    detail.put("position", Json.of(position));
    byte[] hash = Hashes.of(bytes);
    if (!transaction.isDraft()) {
      VersionIndex.put(transaction, key.tenant(), version.dot(), position, hash);
    }
    detail.put("version", Json.of(HexFormat.of().formatHex(hash)));
    if (!ready.resolutions().isEmpty()) {
      Meetings.add(transaction, key, position);
      detail.put("policy", Json.of(ready.policy().version()));
      detail.put(
          "resolutions", Json.of(ready.resolutions().stream().map(Describe::resolution).toList()));
    }
    transaction.audit(
        time,
        key.tenant(),
        version.author(),
        ready.origin().action(),
        key.toString(),
        JsonObject.of(detail));
  }

  /** Adds the audit entry of what was refused, with what it would have written. */
  static void auditRefusal(
      Transaction transaction,
      RecordKey key,
      String author,
      Rejected why,
      Map<String, Json> payload) {
    Map<String, Json> detail = new TreeMap<>(payload);
    detail.put("code", Json.of(why.code().label()));
    detail.put("reason", Json.of(why.message()));
    why.row().ifPresent(row -> detail.put("row", Json.of(row.label())));
    transaction.auditRefusal(
        transaction.clock().next(),
        key.tenant(),
        author,
        "rejected",
        key.toString(),
        JsonObject.of(detail));
  }

  /** Adds the audit entry of a version that came and contradicts what is known, with its bytes. */
  static void auditViolation(
      Transaction transaction,
      RecordKey key,
      String author,
      CausalViolation how,
      String why,
      byte[] bytes) {
    transaction.audit(
        transaction.clock().next(),
        key.tenant(),
        author,
        "violation",
        key.toString(),
        JsonObject.of(
            Map.of(
                "violation", Json.of(how.label()),
                "why", Json.of(why),
                "bytes", Json.of(HexFormat.of().formatHex(bytes)))));
  }

  /** What became of the conflicts that a version takes part in. */
  private static List<Resolution> concerning(Dot dot, View view) {
    List<Resolution> mine = new ArrayList<>();
    for (Resolution resolution : view.resolutions()) {
      for (Assignment assignment : resolution.conflict().competing()) {
        if (assignment.dot().equals(dot)) {
          mine.add(resolution);
          break;
        }
      }
    }
    return mine;
  }
}
