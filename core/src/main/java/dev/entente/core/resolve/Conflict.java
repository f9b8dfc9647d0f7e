// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.policy.Severity;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Competing assignments of one unit (or, at record level, competing versions of the record),
 * classified.
 *
 * @param recordLevel true where the whole record is what competes: the merge as such is in question
 * @param complexity 0…1: {@code x / (x + 4)} where x counts further competitors beyond two, a
 *     quarter for each further leaf in which the values differ, and 1 where they are of different
 *     kinds; at record level {@code m / (m + 10)} where m is the smaller number of units that
 *     either side changed
 * @param lastAgreed see {@link Dispute}
 */
public record Conflict(
    RecordKey key,
    Unit unit,
    boolean recordLevel,
    ConflictType type,
    Severity severity,
    double complexity,
    List<Assignment> competing,
    Optional<Json> lastAgreed) {

  public Conflict {
    competing = List.copyOf(competing);
  }

  /** The same on every node: a hash of the record's key, the unit and the competing dots. */
  public String id() {
    StringBuilder text = new StringBuilder();
    for (String part :
        List.of(
            key.tenant(),
            key.type(),
            key.id(),
            recordLevel ? "record" : unit.kind() + " " + unit.path())) {
      text.append(part.length()).append(':').append(part);
    }
    competing.forEach(assignment -> text.append('|').append(assignment.dot()));
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** What it is called where records come from rows. */
  public RowConflict row() {
    return RowConflict.of(this);
  }

  /** What is in conflict, as users see it: the unit, or {@code record}. */
  public String label() {
    return recordLevel ? "record" : unit.label();
  }
}
