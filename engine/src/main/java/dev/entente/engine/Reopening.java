// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.engine.Outcome.Rejected;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Versions that are written together or not at all: what competed before a decision competes again,
 * on what the record is now or is rolled back to. Each value becomes a version that has not seen
 * the others. Used by the sequencer's thread only.
 */
final class Reopening {
  private final Policies policies;
  private final VersionWriter writer;
  private final Transaction transaction;
  private final String actor;
  private final String reason;
  private final List<VersionWriter.Ready> prepared = new ArrayList<>();
  private Optional<Rejected> refused = Optional.empty();

  Reopening(
      Policies policies,
      VersionWriter writer,
      Transaction transaction,
      String actor,
      String reason) {
    this.policies = policies;
    this.writer = writer;
    this.transaction = transaction;
    this.actor = actor;
    this.reason = reason;
  }

  /** Prepares one more version; returns the record after it, which is not written yet. */
  Snapshot add(Authored authored) {
    if (refused.isEmpty()) {
      switch (writer.prepare(transaction, authored)) {
        case VersionWriter.Ready ready -> {
          prepared.add(ready);
          return ready.after();
        }
        case VersionWriter.Refused(Rejected why) -> refused = Optional.of(why);
      }
    }
    return authored.before();
  }

  /** Prepares a version for each value that competed; returns the record after them. */
  Snapshot add(Snapshot record, Competing competing) throws EditProblem {
    Policy policy = policies.inForce(record.key().tenant(), record.key().type());
    Snapshot now = record;
    for (Json value : competing.values()) {
      List<Change> changes =
          Decider.changes(record, policy, actor, competing.unit(), competing.recordLevel(), value);
      now =
          add(
              Authored.concurrent(
                  WriteOrigin.REOPENING, now, record.state(), actor, changes, reason));
    }
    return now;
  }

  /**
   * Writes what is prepared, unless something of it is refused.
   *
   * @param detail what the audit entries say besides
   * @return why nothing is written
   */
  Optional<Rejected> write(Map<String, Json> detail) {
    if (refused.isPresent()) {
      abandon();
      return refused;
    }
    prepared.forEach(
        ready -> writer.write(transaction, ready, ready.version().acceptedAt(), detail));
    return refused;
  }

  /** Gives back what is prepared and not to be written. */
  void abandon() {
    prepared.reversed().forEach(ready -> writer.abandon(transaction, ready));
    prepared.clear();
  }

  /** The version prepared last. */
  VersionWriter.Ready last() {
    return prepared.getLast();
  }
}
