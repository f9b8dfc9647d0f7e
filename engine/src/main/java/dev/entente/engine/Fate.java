// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.record.Change;
import dev.entente.core.record.Repetitions;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What has become of one part of what somebody wrote.
 *
 * @param value what they gave it; absent where they removed it
 * @param by who wrote what is there instead, where that is somebody else's
 * @param why in one sentence
 */
public record Fate(Unit unit, Json value, Kind kind, Optional<String> by, String why) {

  /** How it stands. */
  public enum Kind {
    /** Readers see it. */
    HOLDS,
    /** It competes with another, and a person will choose. */
    WAITS,
    /** A rule took another of several that competed. */
    LOST,
    /** Somebody replaced it who had seen it. */
    REPLACED,
    /** It repeats another version of the same request, which has effect in its place. */
    REPEATED;

    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What has become of a version's assignments.
   *
   * @param later the versions of the record that came after it, in order
   */
  static List<Fate> of(Version version, Snapshot now, List<Version> later) {
    Repetitions repetitions = now.state().repetitions();
    if (repetitions.contains(version.dot())) {
      return repeated(version, repetitions.first(version.dot()));
    }
    List<Fate> fates = new ArrayList<>();
    for (Change change : version.changes()) {
      if (change instanceof Change.Assign assign && !assign.unit().path().isRoot()) {
        fates.add(of(version.dot(), assign, now, later));
      }
    }
    return fates;
  }

  private static List<Fate> repeated(Version version, Dot first) {
    String why =
        "the same request was accepted as "
            + first
            + " before, at a node that this one did not know of; that version has effect, this one"
            + " has none";
    List<Fate> fates = new ArrayList<>();
    for (Change change : version.changes()) {
      if (!change.unit().path().isRoot()) {
        Json value = change instanceof Change.Assign assign ? assign.value() : JsonAbsent.ABSENT;
        fates.add(new Fate(change.unit(), value, Kind.REPEATED, Optional.empty(), why));
      }
    }
    return fates;
  }

  private static Fate of(Dot dot, Change.Assign assign, Snapshot now, List<Version> later) {
    Unit unit = assign.unit();
    for (Resolution resolution : now.view().resolutions()) {
      boolean competes =
          resolution.conflict().unit().equals(unit)
              && resolution.conflict().competing().stream().anyMatch(a -> a.dot().equals(dot));
      if (competes) {
        Kind kind =
            resolution.isPending()
                ? Kind.WAITS
                : resolution.value().equals(assign.value()) ? Kind.HOLDS : Kind.LOST;
        return new Fate(unit, assign.value(), kind, Optional.empty(), resolution.explanation());
      }
    }
    for (Version next : later.reversed()) {
      boolean touches =
          next.changes().stream()
              .anyMatch(c ->
                  c instanceof Change.Assign a
                      && (a.unit().equals(unit)
                          || (!unit.isGroup() && a.unit().path().contains(unit.path()))));
      if (touches && now.state().repetitions().closed(next.context()).contains(dot)) {
        return new Fate(
            unit,
            assign.value(),
            Kind.REPLACED,
            Optional.of(next.author()),
            next.author()
                + " had seen it and changed it at "
                + next.acceptedAt().instant()
                + (next.note().isEmpty() ? "" : ": " + next.note()));
      }
    }
    return new Fate(unit, assign.value(), Kind.HOLDS, Optional.empty(), "nobody changed it since");
  }
}
