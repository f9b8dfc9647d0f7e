// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Splice;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonString;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What every version has to satisfy, whoever wrote it: asked before a node writes a version of its
 * own, and when one comes from another node. The result depends on nothing but the version, so that
 * all nodes of a release refuse the same ones; it does not look at policies or settings, which may
 * differ from node to node. What one release accepts, a later one has to accept too, since versions
 * are kept and passed on.
 */
public final class VersionRules {
  /** How deep a document may be nested. */
  public static final int DEPTH_MAX = 128;

  /** The longest name of an author or device, and the longest event id, in UTF-16 code units. */
  private static final int TEXT_MAX = RecordKey.NAME_MAX;

  private VersionRules() {}

  /** Why a version cannot be accepted; empty where it can. */
  public static Optional<String> problem(Version version) {
    return Optional.ofNullable(problemWith(version));
  }

  private static @Nullable String problemWith(Version version) {
    String problem = text("author", version.author());
    problem = problem != null ? problem : text("device", version.device().orElse(""));
    if (problem != null) {
      return problem;
    }
    if (version.eventId().orElse("").length() > TEXT_MAX) {
      return "its event id is longer than " + TEXT_MAX + " characters";
    }
    if (buildsOnLater(version.context(), version.dot())) {
      return "it builds on itself or on what its node wrote later";
    }
    for (Change change : version.changes()) {
      problem = problemWith(change);
      if (problem != null) {
        return problem;
      }
    }
    return null;
  }

  private static boolean buildsOnLater(CausalContext context, Dot own) {
    if (context.vector().get(own.node()) >= own.number()) {
      return true;
    }
    for (Dot dot : context.dots()) {
      if (dot.node().equals(own.node()) && dot.number() >= own.number()) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable String text(String what, String text) {
    String problem = text.isEmpty() ? null : RecordKey.problemWith(text);
    return problem == null ? null : "its " + what + " " + problem;
  }

  private static @Nullable String problemWith(Change change) {
    Unit unit = change.unit();
    int depth = unit.path().depth();
    if (unit.isGroup() && depth != 1) {
      return "it changes a group with a path of " + depth + " names";
    }
    // The value at a path stands in as many objects as the path has names.
    if (depth > DEPTH_MAX) {
      return tooDeep(unit);
    }
    return switch (change) {
      case Change.Assign assign -> problemWith(assign);
      case Change.Clear _ -> null;
      case Change.Restore _ -> null;
      case Change.Remove remove -> root(remove);
      case Change.Count count -> root(count);
      case Change.Give give ->
          give.amount() <= 0 ? unit.label() + " is given " + give.amount() : root(give);
      case Change.EditSequence edit -> problemWith(edit);
      case Change.EditSet edit -> {
        String problem = values(unit, edit.add());
        problem = problem != null ? problem : values(unit, edit.remove());
        yield problem != null ? problem : root(edit);
      }
    };
  }

  private static @Nullable String root(Change change) {
    return change.unit().path().isRoot() ? "a record is an object, and no other cell" : null;
  }

  /** A record and a group are objects; any other field has any value. */
  private static @Nullable String problemWith(Change.Assign assign) {
    Unit unit = assign.unit();
    String problem = assigned(unit, assign.value());
    for (Ancestor ancestor : assign.ancestors()) {
      problem = problem != null ? problem : assigned(unit, ancestor.value());
      problem = problem != null ? problem : text("replaced author", ancestor.author());
    }
    return problem;
  }

  private static @Nullable String assigned(Unit unit, Json value) {
    if (value.isAbsent()) {
      return null;
    }
    if ((unit.path().isRoot() || unit.isGroup()) && !(value instanceof JsonObject)) {
      return unit.path().isRoot()
          ? "a record is an object; this would make it something else"
          : unit.label() + " is a group of fields; this would make it something else";
    }
    return value(unit, value);
  }

  private static @Nullable String problemWith(Change.EditSequence edit) {
    Unit unit = edit.unit();
    boolean list = edit.splices().getFirst().inserted() instanceof JsonArray;
    for (Splice splice : edit.splices()) {
      if (splice.inserted() instanceof JsonArray != list) {
        return unit.label() + " is edited as a text and as a list";
      }
      String problem = value(unit, splice.inserted());
      if (problem != null) {
        return problem;
      }
    }
    if (edit.seed().isPresent()) {
      Json seed = edit.seed().get().value();
      if (list ? !(seed instanceof JsonArray) : !(seed instanceof JsonString)) {
        return unit.label() + " begins as what it is not edited as";
      }
      String problem = value(unit, seed);
      if (problem != null) {
        return problem;
      }
    }
    return root(edit);
  }

  private static @Nullable String values(Unit unit, List<Json> values) {
    for (Json value : values) {
      String problem = value(unit, value);
      if (problem != null) {
        return problem;
      }
    }
    return null;
  }

  private static @Nullable String value(Unit unit, Json value) {
    int levels = DEPTH_MAX - (unit.isGroup() ? 0 : unit.path().depth());
    return switch (flaw(value, levels)) {
      case NONE -> null;
      case TOO_DEEP -> tooDeep(unit);
      case HOLE -> "the value of " + unit.label() + " holds a member without a value";
    };
  }

  private static String tooDeep(Unit unit) {
    return "a document is nested at most "
        + DEPTH_MAX
        + " deep; "
        + unit.path().names().getFirst()
        + " would be deeper";
  }

  private enum Flaw {
    NONE,
    TOO_DEEP,
    HOLE
  }

  private static Flaw flaw(Json value, int levels) {
    return switch (value) {
      case JsonArray array -> inside(array.items(), levels);
      case JsonObject object -> inside(object.members().values(), levels);
      default -> value.isAbsent() ? Flaw.HOLE : Flaw.NONE;
    };
  }

  private static Flaw inside(Iterable<Json> values, int levels) {
    if (levels == 0) {
      return Flaw.TOO_DEEP;
    }
    for (Json value : values) {
      Flaw flaw = flaw(value, levels - 1);
      if (flaw != Flaw.NONE) {
        return flaw;
      }
    }
    return Flaw.NONE;
  }
}
