// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.merge.MergeLaws;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.policy.StrategySpec.Patience;
import dev.entente.core.policy.StrategySpec.PriorityOf;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.vote.Electorate;
import dev.entente.core.vote.Keys;
import dev.entente.core.vote.Voter;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reads strategies with their settings, and what they refer to: the roles and the merge functions
 * that a file declares.
 */
final class StrategyReader {
  private static final String SEMANTIC = "semantic:";
  private static final String NAME = "[a-z0-9-]{1,60}";

  private final List<PolicyProblem> problems;
  private final List<PolicyProblem> warnings;
  private final Map<String, List<String>> roles = new TreeMap<>();
  private final Map<String, SemanticMerge> declared = new TreeMap<>();
  private final Set<String> unchecked = new TreeSet<>();
  private boolean hasVote;

  StrategyReader(List<PolicyProblem> problems, List<PolicyProblem> warnings) {
    this.problems = problems;
    this.warnings = warnings;
  }

  /** Reads what strategies may refer to; before any of them. */
  void declarations(YamlMap file) {
    file.map("roles")
        .ifPresent(
            map -> map.entries().forEach((role, members) -> roles.put(role, texts(members))));
    file.map("semantics").ifPresent(map -> map.entries().forEach(this::semantic));
  }

  /** Whether a strategy that was read is a vote. */
  boolean hasVote() {
    return hasVote;
  }

  private static List<String> texts(YamlValue value) {
    return value.list().stream().flatMap(item -> item.text().stream()).toList();
  }

  private void semantic(String name, YamlValue value) {
    YamlMap map = value.map();
    map.only(List.of("merge", "examples", "unchecked"));
    if (!name.matches(NAME)) {
      problems.add(map.place("a merge function is named with lower-case letters, digits and -"));
      return;
    }
    Optional<SemanticMerge> merge =
        map.get("merge").isPresent()
            ? map.get("merge")
                .flatMap(source -> source.condition(CelConditions.About.MERGE))
                .map(expression -> new ExpressionMerge(name, expression, examples(map)))
            : Semantics.installed(name);
    if (merge.isEmpty()) {
      if (map.get("merge").isEmpty()) {
        problems.add(map.place(name + " needs merge: an expression over base, left and right"));
      }
      return;
    }
    declared.put(name, merge.get());
    Optional<String> reason = map.text("unchecked");
    if (reason.isPresent()) {
      unchecked.add(name);
      warnings.add(map.place(SEMANTIC + name + " is used unchecked: " + reason.get()));
    } else {
      check(merge.get(), value);
    }
  }

  private static List<Json> examples(YamlMap map) {
    return map.list("examples").orElse(List.of()).stream().map(YamlValue::json).toList();
  }

  private void check(SemanticMerge merge, YamlValue at) {
    MergeLaws.counterexample(merge, List.of())
        .ifPresent(broken ->
            problems.add(
                at.problem(
                    SEMANTIC
                        + merge.name()
                        + " cannot settle conflicts: "
                        + broken
                        + "; mend it, or say under semantics why it is used unchecked")));
  }

  /** A strategy by itself: its name, or a mapping with its settings. */
  Optional<StrategySpec> read(YamlValue value, String where) {
    if (value.isMap()) {
      YamlMap map = value.map();
      map.only(Names.SETTINGS);
      return read(map, where);
    }
    return named(value, where).flatMap(name -> spec(name, value, Optional.empty()));
  }

  /** The strategy that a mapping names among other things, if it does. */
  Optional<StrategySpec> read(YamlMap map, String where) {
    Optional<YamlValue> name = map.get("strategy");
    if (name.isEmpty()) {
      for (String setting : Names.SETTINGS) {
        map.get(setting)
            .ifPresent(
                value -> problems.add(value.problem(setting + " belongs to a strategy; name it")));
      }
      return Optional.empty();
    }
    return name.flatMap(value -> named(value, where))
        .flatMap(known -> spec(known, name.get(), Optional.of(map)));
  }

  private static Optional<String> named(YamlValue value, String where) {
    Optional<String> name = value.text();
    if (name.isPresent()
        && !name.get().startsWith(SEMANTIC)
        && !Names.STRATEGIES.contains(name.get())) {
      value.report(
          name.get() + " is not a strategy for " + where + StrategyNames.suggestion(name.get()));
      return Optional.empty();
    }
    return name;
  }

  private Optional<StrategySpec> spec(String name, YamlValue at, Optional<YamlMap> map) {
    hasVote |= name.equals("vote");
    Optional<Settings> settings = settings(name, at, map);
    Optional<StrategySpec> otherwise =
        map.flatMap(m -> m.get("otherwise")).flatMap(next -> read(next, "otherwise"));
    map.ifPresent(m -> misplaced(name, m));
    return settings.map(
        known -> new StrategySpec(name, known, map.flatMap(m -> patience(name, m)), otherwise));
  }

  private void misplaced(String name, YamlMap map) {
    Map<String, List<String>> owners =
        Map.of(
            "of", List.of("priority"),
            "order", List.of("priority"),
            "clashes", List.of("merge"),
            "voters", List.of("vote"),
            "faulty", List.of("vote"),
            "to", List.of("rollback"),
            "retries", List.of("vote"),
            "time-out", List.of("vote", "manual-review"));
    owners.forEach((setting, strategies) -> {
      if (!strategies.contains(name)) {
        map.get(setting)
            .ifPresent(value ->
                problems.add(
                    value.problem(
                        setting
                            + " belongs to "
                            + String.join(" and ", strategies)
                            + ", not to "
                            + name)));
      }
    });
  }

  private Optional<Settings> settings(String name, YamlValue at, Optional<YamlMap> map) {
    if (name.startsWith(SEMANTIC)) {
      return custom(name.substring(SEMANTIC.length()), at);
    }
    return switch (name) {
      case "priority" ->
          map.map(this::ranking)
              .or(() ->
                  Optional.of(
                      new Settings.Ranking(PriorityOf.VALUES, List.of(), SortedArrayMap.empty())));
      case "vote" -> {
        if (map.flatMap(m -> m.get("voters")).isEmpty()) {
          warnings.add(
              at.problem(
                  "vote names no voters, so a person decides; voters are names, or names with"
                      + " weight and key"));
          yield Optional.of(new Settings.None());
        }
        yield electorate(map.get()).map(Settings.Voting::new);
      }
      case "merge" ->
          map.flatMap(m -> m.get("clashes"))
              .map(clashes -> read(clashes, "clashes").<Settings>map(Settings.Merging::new))
              .orElse(Optional.of(new Settings.None()));
      case "rollback" ->
          map.flatMap(m -> m.get("to"))
              .map(StrategyReader::moment)
              .orElse(Optional.of(new Settings.None()));
      default -> Optional.of(new Settings.None());
    };
  }

  private Optional<Settings> custom(String name, YamlValue at) {
    SemanticMerge known = declared.get(name);
    if (known == null) {
      Optional<SemanticMerge> installed = Semantics.installed(name);
      if (installed.isEmpty()) {
        List<String> names = new ArrayList<>(declared.keySet());
        names.addAll(Semantics.names());
        problems.add(
            at.problem(
                "there is no merge function "
                    + name
                    + (names.isEmpty()
                        ? "; declare it under semantics, or put its jar on the class path"
                        : Names.suggestion(name, names))));
        return Optional.empty();
      }
      known = installed.get();
      declared.put(name, known);
      check(known, at);
    }
    return Optional.of(new Settings.Custom(known, unchecked.contains(name)));
  }

  private Settings ranking(YamlMap map) {
    PriorityOf of =
        map.oneOf("of", List.of("values", "authors", "roles", "nodes"))
            .map(name -> PriorityOf.valueOf(PolicyLoader.upper(name)))
            .orElse(PriorityOf.VALUES);
    List<YamlValue> order = map.list("order").orElse(List.of());
    if (of == PriorityOf.ROLES) {
      for (YamlValue role : order) {
        role.oneOf("a role of this policy", List.copyOf(roles.keySet()));
      }
    }
    if (of == PriorityOf.NODES) {
      order.forEach(YamlValue::nodeName);
    }
    return new Settings.Ranking(
        of, order.stream().map(YamlValue::json).toList(), SortedArrayMap.copyOf(roles));
  }

  private Optional<Electorate> electorate(YamlMap map) {
    List<Voter> voters = new ArrayList<>();
    YamlValue value = map.get("voters").orElseThrow();
    try {
      if (value.isMap()) {
        value.map().entries().forEach((name, of) -> voters.add(voter(name, of)));
      } else {
        texts(value).forEach(name -> voters.add(new Voter(name, 1, Optional.empty())));
      }
      int faulty = map.number("faulty").map(Double::intValue).orElse(0);
      return Optional.of(Electorate.of(voters, faulty));
    } catch (IllegalArgumentException e) {
      problems.add(value.problem(String.valueOf(e.getMessage())));
      return Optional.empty();
    }
  }

  private Voter voter(String name, YamlValue value) {
    if (!value.isMap()) {
      return new Voter(name, value.wholeNumber(), Optional.empty());
    }
    YamlMap map = value.map();
    map.only(List.of("weight", "key"));
    Optional<String> key = map.text("key");
    if (key.isPresent() && !Keys.isPublicKey(key.get())) {
      problems.add(
          map.place(
              "the key of "
                  + name
                  + " is no Ed25519 public key in base 64; entente key makes one"));
    }
    return new Voter(name, map.get("weight").map(YamlValue::wholeNumber).orElse(1), key);
  }

  private static Optional<Settings> moment(YamlValue value) {
    String text = value.text().orElse("");
    if (text.equals("last-agreed")) {
      return Optional.of(new Settings.None());
    }
    if (text.equals("checkpoint")) {
      return Optional.of(new Settings.Back(new Moment.Checkpoint()));
    }
    Optional<Duration> earlier = YamlMap.durationOf(text);
    if (earlier.isPresent()) {
      return Optional.of(new Settings.Back(new Moment.Earlier(earlier.get())));
    }
    try {
      return Optional.of(new Settings.Back(new Moment.At(Instant.parse(text))));
    } catch (DateTimeException e) {
      value.report(
          "to takes last-agreed, checkpoint, a duration such as 15m, or a time such as"
              + " 2026-11-22T10:00:00Z");
      return Optional.empty();
    }
  }

  private Optional<Patience> patience(String name, YamlMap map) {
    Optional<Duration> timeOut = map.duration("time-out");
    int retries = map.number("retries").map(Double::intValue).orElse(0);
    if (retries < 0 || retries > Persistence.RETRIES_MAX) {
      problems.add(map.place("retries lie between 0 and " + Persistence.RETRIES_MAX));
    }
    if (timeOut.isEmpty()) {
      if (map.get("retries").isPresent()) {
        problems.add(map.place("retries of " + name + " need a time-out after which they begin"));
      }
      return Optional.empty();
    }
    if (map.get("otherwise").isEmpty()) {
      problems.add(map.place("a time-out needs otherwise: what decides when nobody did"));
    }
    return timeOut.map(howLong -> new Patience(howLong, retries));
  }
}
