// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.engine.AuditEntry;
import dev.entente.server.Problem.Code;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which audit entries somebody looks for: of an actor, an action, a subject that holds a text, of a
 * stretch of time.
 *
 * @param since inclusive
 * @param until exclusive
 */
record AuditFilter(
    Optional<String> actor,
    Optional<String> action,
    Optional<String> subject,
    Optional<Instant> since,
    Optional<Instant> until) {

  static AuditFilter of(Call call) {
    return new AuditFilter(
        call.query("actor"),
        call.query("action"),
        call.query("subject"),
        call.query("since").map(time -> time("since", time)),
        call.query("until").map(time -> time("until", time)));
  }

  private static Instant time(String name, String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new Problem(Code.INVALID, name + " is a time such as 2026-11-22T10:00:00Z");
    }
  }

  /** The names that are looked for, and may be misspelt. */
  Map<String, String> names() {
    Map<String, String> names = new TreeMap<>();
    actor.ifPresent(name -> names.put("actor", name));
    action.ifPresent(name -> names.put("action", name));
    subject.ifPresent(name -> names.put("subject", name));
    return names;
  }

  boolean lets(AuditEntry entry) {
    return actor.filter(name -> !name.equals(entry.actor())).isEmpty()
        && action.filter(name -> !name.equals(entry.action())).isEmpty()
        && subject.filter(text -> !entry.subject().contains(text)).isEmpty()
        && !isBefore(entry)
        && until.filter(end -> !entry.time().instant().isBefore(end)).isEmpty();
  }

  /** Whether an entry, and so each before it, is too old. */
  boolean isBefore(AuditEntry entry) {
    return since.filter(begin -> entry.time().instant().isBefore(begin)).isPresent();
  }
}
