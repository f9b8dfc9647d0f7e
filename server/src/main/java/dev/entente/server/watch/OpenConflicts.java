// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import dev.entente.core.policy.Policy;
import dev.entente.core.policy.Severity;
import dev.entente.core.resolve.ConflictType;
import dev.entente.engine.OpenReviews.Subject;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The conflicts of a tenant that nobody has decided yet. Not thread-safe. */
final class OpenConflicts {
  private static final int NAMED_MAX = 100;

  private final String tenant;
  private long all;
  private long critical;
  private long invariants;
  private long violations;

  /** How many there are under each alert that a policy names, by alert and type. */
  private final Map<Named, Long> named = new TreeMap<>();

  private record Named(String alert, String type, boolean critical) implements Comparable<Named> {
    @Override
    public int compareTo(Named other) {
      int order = alert.compareTo(other.alert);
      order = order != 0 ? order : type.compareTo(other.type);
      return order != 0 ? order : Boolean.compare(critical, other.critical);
    }
  }

  OpenConflicts(String tenant) {
    this.tenant = tenant;
  }

  void add(Subject subject, long count, Policy policy) {
    all += count;
    boolean isCritical = subject.severity().equals(Severity.CRITICAL.label());
    if (subject.conflict().equals(ConflictType.CAUSAL_VIOLATION.label())) {
      violations += count;
      return;
    }
    if (subject.conflict().equals(ConflictType.INVARIANT_VIOLATION.label())) {
      invariants += count;
    }
    if (isCritical) {
      critical += count;
    }
    policy
        .alertOf(subject.unit())
        .ifPresent(
            alert -> named.merge(new Named(alert, subject.type(), isCritical), count, Long::sum));
  }

  void find(Thresholds thresholds, List<Finding> found) {
    if (invariants > 0) {
      found.add(
          of(
              "invariant-violation",
              true,
              "",
              "%d merged records break an invariant; readers see the last agreed",
              invariants,
              "entente reviews --where conflict=invariant-violation"));
    }
    if (violations > 0) {
      found.add(
          of(
              "causal-violation",
              true,
              "",
              "%d versions from other nodes contradict causality",
              violations,
              "entente reviews --where conflict=causal-violation"));
    }
    if (critical > 0) {
      found.add(
          of(
              "critical-conflict",
              true,
              "",
              "%d critical conflicts wait for a decision",
              critical,
              "entente reviews --where severity=critical"));
    }
    named.entrySet().stream()
        .limit(NAMED_MAX)
        .forEach(entry ->
            found.add(
                of(
                    entry.getKey().alert(),
                    entry.getKey().critical(),
                    entry.getKey().type(),
                    "%d conflicts of "
                        + entry.getKey().type().replace("%", "%%")
                        + " wait for a decision, for which its policy names this alert",
                    entry.getValue(),
                    "entente reviews --where type=" + entry.getKey().type())));
    if (all > thresholds.pending()) {
      found.add(
          of(
              "pending-reviews",
              false,
              "",
              "%d conflicts wait for a person",
              all,
              "entente reviews"));
    }
  }

  private Finding of(
      String rule, boolean critical, String subject, String summary, long count, String action) {
    return new Finding(
        rule, critical, tenant, subject, 0, String.format(Locale.ROOT, summary, count), action);
  }
}
