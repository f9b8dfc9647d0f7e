// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StateMachine.SameState;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Loads a policy file (YAML, of which JSON is a part). Every error names its line and column and,
 * where a name is unknown, the nearest known one; all errors of a file are reported together. What
 * this version only partly supports is a warning, never silence.
 */
public final class PolicyLoader {
  private static final Pattern ALERT = Pattern.compile("[a-z][a-z0-9-]{0,39}");

  private static final int SIZE_MAX = 1_000_000;
  private static final int NESTING_MAX = 50;
  private static final List<String> SEVERITIES = labels(Severity.values(), Severity::label);

  private final List<PolicyProblem> problems = new ArrayList<>();
  private final List<PolicyProblem> warnings = new ArrayList<>();
  private final StrategyReader strategies = new StrategyReader(problems, warnings);

  private PolicyLoader() {}

  /** A policy and what to know about it. */
  public record Loaded(Policy policy, List<PolicyProblem> warnings) {}

  /**
   * Loads the text of a policy file.
   *
   * @throws PolicyException with all that is wrong with it
   */
  public static Loaded load(String text) throws PolicyException {
    return load(text, false);
  }

  /**
   * Loads a policy that is in force already, here or at another node, and which an earlier release
   * may have accepted. What has become an error since then is a warning, so that a node starts with
   * the policies it had.
   *
   * @throws PolicyException where no release would have accepted it
   */
  public static Loaded loadInForce(String text) throws PolicyException {
    return load(text, true);
  }

  private static Loaded load(String text, boolean inForce) throws PolicyException {
    PolicyLoader loader = new PolicyLoader();
    if (text.length() > SIZE_MAX) {
      throw new PolicyException(
          List.of(
              new PolicyProblem(1, 1, "a policy file has at most " + SIZE_MAX + " characters")));
    }
    Policy policy = loader.policy(loader.parsed(text), text);
    if (inForce) {
      loader.problems.stream().filter(PolicyProblem::acceptedBefore).forEach(loader.warnings::add);
      loader.problems.removeIf(PolicyProblem::acceptedBefore);
    }
    if (!loader.problems.isEmpty()) {
      throw new PolicyException(loader.sorted(loader.problems));
    }
    return new Loaded(policy, loader.sorted(loader.warnings));
  }

  private List<PolicyProblem> sorted(List<PolicyProblem> list) {
    return list.stream()
        .sorted(
            Comparator.comparingInt(PolicyProblem::line).thenComparingInt(PolicyProblem::column))
        .toList();
  }

  private YamlMap parsed(String text) throws PolicyException {
    try {
      LoadSettings settings =
          LoadSettings.builder()
              .setAllowDuplicateKeys(false)
              .setMaxAliasesForCollections(10)
              .setCodePointLimit(SIZE_MAX)
              .build();
      checkNesting(text, settings);
      Optional<Node> root = new Compose(settings).composeString(text);
      return YamlMap.of(
          root.orElseThrow(() -> new YamlEngineException("the file is empty")),
          "the policy",
          problems);
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
      int column = e.getProblemMark().map(mark -> mark.getColumn() + 1).orElse(1);
      throw new PolicyException(
          List.of(new PolicyProblem(line, column, String.valueOf(e.getProblem()))));
    } catch (YamlEngineException e) {
      throw new PolicyException(List.of(new PolicyProblem(1, 1, String.valueOf(e.getMessage()))));
    }
  }

  /** The composer of the library calls itself for each level; its parser does not. */
  private static void checkNesting(String text, LoadSettings settings) throws PolicyException {
    int depth = 0;
    for (Event event : new Parse(settings).parseString(text)) {
      switch (event.getEventId()) {
        case MappingStart, SequenceStart -> depth++;
        case MappingEnd, SequenceEnd -> depth--;
        default -> {}
      }
      if (depth > NESTING_MAX) {
        int line = event.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
        int column = event.getStartMark().map(mark -> mark.getColumn() + 1).orElse(1);
        throw new PolicyException(
            List.of(
                new PolicyProblem(
                    line, column, "lists and maps are nested at most " + NESTING_MAX + " deep")));
      }
    }
  }

  private Policy policy(YamlMap file, String text) {
    file.only(Names.TOP);
    PolicyBuilder policy = Policy.builder(file.text("type").orElse(""));
    if (file.get("type").isEmpty()) {
      problems.add(new PolicyProblem(1, 1, "a policy names its type"));
    }
    policy.version(version(text));
    file.get("consistency").ifPresent(value -> ConsistencyReader.read(value, policy));
    file.list("writes").ifPresent(list -> policy.writes(styles(list)));
    file.get("identity")
        .filter(value -> !value.isNull())
        .flatMap(value -> value.condition(CelConditions.About.EVENT))
        .ifPresent(policy::identity);
    file.oneOf("unit", List.of("field", "record"))
        .filter(name -> name.equals("record"))
        .ifPresent(_ -> policy.wholeRecord());
    strategies.declarations(file);
    file.get("default")
        .flatMap(value -> strategies.read(value, "default"))
        .ifPresent(policy::defaultStrategy);
    persistence(file, policy);
    file.map("fields").ifPresent(fields -> fields(fields, policy));
    file.map("groups")
        .ifPresent(groups ->
            groups.entries().forEach((name, value) -> group(name, value).ifPresent(policy::group)));
    file.list("rules")
        .ifPresent(list -> list.forEach(value -> rule(value, "then").ifPresent(policy::rule)));
    file.list("escalations")
        .ifPresent(
            list -> list.forEach(value -> rule(value, "action").ifPresent(policy::escalation)));
    file.list("invariants")
        .ifPresent(list -> list.forEach(value -> invariant(value).ifPresent(policy::invariant)));
    LimitReader limits = new LimitReader(problems, strategies);
    file.list("unique")
        .ifPresent(list -> list.forEach(value -> limits.unique(value).ifPresent(policy::limit)));
    file.list("limits")
        .ifPresent(list -> list.forEach(value -> limits.limit(value).ifPresent(policy::limit)));
    file.texts("never-automatic").forEach(policy::neverAutomatic);
    file.number("manual-threshold").ifPresent(policy::manualThreshold);
    file.map("review").ifPresent(map -> policy.review(review(map)));
    file.map("clock").ifPresent(map -> policy.clock(clock(map)));
    file.oneOf("deletes", labels(DeleteRule.values(), DeleteRule::label))
        .ifPresent(name -> policy.deletes(DeleteRule.valueOf(upper(name))));
    file.get("timeout")
        .filter(_ -> !strategies.hasVote())
        .ifPresent(value ->
            warnings.add(
                value.problem(
                    "timeout and max-retries are for votes, and this policy has none: all other"
                        + " strategies answer at once, and people are waited for")));
    Policy loaded = policy.assembled();
    for (String contradiction : PolicyChecker.contradictions(loaded)) {
      problems.add(file.place(contradiction));
    }
    for (String contradiction : PolicyChecker.contradictionsOfEscalations(loaded)) {
      problems.add(file.place(contradiction).thatWasAcceptedBefore());
    }
    file.list("never-automatic")
        .ifPresent(list -> list.forEach(value -> warnOfUndeclared(value, loaded)));
    file.map("review")
        .flatMap(map -> map.list("two-persons"))
        .ifPresent(list -> list.forEach(value -> warnOfUndeclared(value, loaded)));
    return loaded;
  }

  /** What holds for all strategies of the file. */
  private void persistence(YamlMap file, PolicyBuilder policy) {
    file.get("fallback")
        .flatMap(value -> strategies.read(value, "fallback"))
        .ifPresent(policy::onFailure);
    file.duration("timeout").ifPresent(policy::timeout);
    file.get("max-retries")
        .ifPresent(value -> {
          int retries = value.wholeNumber();
          if (retries < 0 || retries > Persistence.RETRIES_MAX) {
            value.report("max-retries lies between 0 and " + Persistence.RETRIES_MAX);
            return;
          }
          if (retries > 0 && file.get("timeout").isEmpty()) {
            warnings.add(
                value.problem(
                    "max-retries has no effect without a timeout after which another round of"
                        + " votes begins"));
          }
          policy.maxRetries(retries);
        });
  }

  /**
   * A name that no field or group declares protects a field all the same, where records have one.
   * One that is nearly a declared name is most likely misspelt, and then protects nothing.
   */
  private void warnOfUndeclared(YamlValue value, Policy policy) {
    Optional<String> name = value.text();
    if (name.isPresent() && !name.get().equals(ReviewTerms.ALL) && !policy.declares(name.get())) {
      Names.nearest(name.get(), policy.declaredNames())
          .ifPresent(near ->
              warnings.add(
                  value.problem(
                      value.what()
                          + " names "
                          + name.get()
                          + ", which no field or group declares; did you mean "
                          + near
                          + "?")));
    }
  }

  /** Names the text of a policy: the same on every node that has the same text. */
  private static String version(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private Set<WriteStyle> styles(List<YamlValue> list) {
    Set<WriteStyle> styles = EnumSet.noneOf(WriteStyle.class);
    for (YamlValue value : list) {
      value
          .oneOf("a write style", labels(WriteStyle.values(), WriteStyle::label))
          .ifPresent(name -> styles.add(WriteStyle.valueOf(upper(name))));
    }
    return styles.isEmpty() ? EnumSet.allOf(WriteStyle.class) : styles;
  }

  private void fields(YamlMap fields, PolicyBuilder policy) {
    fields
        .entries()
        .forEach((name, value) -> {
          Optional<FieldRule> rule = field(name, value);
          rule.ifPresent(r -> policy.field(name, r));
        });
  }

  private Optional<FieldRule> field(String name, YamlValue value) {
    if (!value.isMap()) {
      return strategies.read(value, "the field " + name).map(FieldRule::of);
    }
    YamlMap map = value.map();
    map.only(Names.settingsAnd("cell", "severity", "writes", "clock", "alert"));
    CellKind cell = map.get("cell").flatMap(this::cell).orElse(CellKind.REGISTER);
    Optional<StrategySpec> strategy = strategies.read(map, "the field " + name);
    return Optional.of(new FieldRule(cell, strategy, severity(map), terms(map)));
  }

  private UnitTerms terms(YamlMap map) {
    return new UnitTerms(
        map.list("writes").map(this::styles), map.map("clock").map(this::clock), alert(map));
  }

  private Optional<String> alert(YamlMap map) {
    Optional<String> name = map.text("alert");
    if (name.isPresent() && !ALERT.matcher(name.get()).matches()) {
      problems.add(
          map.place(
              "an alert is named by up to 40 small letters, digits and hyphens, not "
                  + name.get()));
      return Optional.empty();
    }
    return name;
  }

  static Optional<Severity> severity(YamlMap map) {
    return map.oneOf("severity", SEVERITIES).map(name -> Severity.valueOf(upper(name)));
  }

  private Optional<CellKind> cell(YamlValue value) {
    return value
        .oneOf("a cell", labels(CellKind.values(), CellKind::label))
        .flatMap(CellKind::named);
  }

  private Optional<Group> group(String name, YamlValue value) {
    YamlMap map = value.map();
    map.only(
        Names.settingsAnd(
            "fields",
            "states",
            "state-field",
            "absorbing",
            "same-state",
            "severity",
            "writes",
            "clock",
            "alert"));
    List<String> fields = map.texts("fields");
    if (fields.isEmpty()) {
      problems.add(map.place("the group " + name + " has no fields"));
      return Optional.empty();
    }
    Optional<StrategySpec> strategy = strategies.read(map, "the group " + name);
    if (strategy.isPresent() && strategy.get().name().equals("state-machine")) {
      strategy = machine(map, fields).map(strategy.get()::with);
    } else if (map.get("states").isPresent()) {
      problems.add(map.place("states belong to the strategy state-machine"));
    }
    return Optional.of(new Group(name, fields, strategy, severity(map), terms(map)));
  }

  private Optional<StateMachine> machine(YamlMap map, List<String> fields) {
    Optional<YamlMap> states = map.map("states");
    if (states.isEmpty()) {
      problems.add(
          map.place(
              "state-machine needs states: from each state, the list of those it may change to"));
      return Optional.empty();
    }
    Map<String, Set<String>> transitions = new TreeMap<>();
    states.get().entries().forEach((from, to) -> transitions.put(from, texts(to)));
    Map<String, SameState> same = new TreeMap<>();
    map.map("same-state")
        .ifPresent(entries ->
            entries
                .entries()
                .forEach((state, value) -> {
                  YamlMap rule = value.map();
                  rule.only(List.of("by", "take"));
                  Optional<String> by = rule.text("by");
                  Optional<String> take =
                      rule.oneOf("take", List.of("highest-value", "lowest-value"));
                  if (by.isEmpty() || take.isEmpty()) {
                    problems.add(
                        rule.place(
                            "same-state needs by (a field) and take (highest-value or"
                                + " lowest-value)"));
                  } else {
                    same.put(state, new SameState(by.get(), take.get().equals("highest-value")));
                  }
                }));
    Set<String> absorbing = map.get("absorbing").map(this::texts).orElse(Set.of());
    return Optional.of(
        new StateMachine(
            map.text("state-field").orElse(fields.getFirst()), transitions, absorbing, same));
  }

  private Set<String> texts(YamlValue value) {
    Set<String> texts = new TreeSet<>();
    value.list().forEach(item -> item.text().ifPresent(texts::add));
    return texts;
  }

  private Optional<Rule> rule(YamlValue value, String action) {
    YamlMap map = value.map();
    boolean isRule = action.equals("then");
    map.only(
        isRule
            ? List.of("name", "when", action, "priority", "overrides-fields")
            : List.of("name", "when", action, "priority"));
    boolean overrides =
        isRule
            && map.oneOf("overrides-fields", List.of("true", "false"))
                .orElse("false")
                .equals("true");
    Optional<String> name = map.text("name");
    Optional<Condition> when =
        map.get("when").flatMap(v -> v.condition(CelConditions.About.CONFLICT));
    Optional<StrategySpec> then = map.get(action).flatMap(v -> strategies.read(v, "a rule"));
    for (String needed : List.of("name", "when", action)) {
      if (map.get(needed).isEmpty()) {
        problems.add(map.place("a rule needs " + needed));
      }
    }
    if (when.isPresent() && then.isPresent()) {
      PolicyChecker.whyNotOfLimits(when.get(), then.get())
          .ifPresent(why -> problems.add(map.place(why).thatWasAcceptedBefore()));
    }
    int priority = map.number("priority").map(Double::intValue).orElse(0);
    return name.isPresent() && when.isPresent() && then.isPresent()
        ? Optional.of(new Rule(name.get(), when.get(), then.get(), priority, overrides))
        : Optional.empty();
  }

  private Optional<Invariant> invariant(YamlValue value) {
    YamlMap map = value.map();
    map.only(List.of("name", "check", "severity"));
    Optional<Condition> check =
        map.get("check").flatMap(v -> v.condition(CelConditions.About.RECORD));
    Optional<String> name = map.text("name");
    if (name.isEmpty() || map.get("check").isEmpty()) {
      problems.add(map.place("an invariant needs name and check"));
    }
    return check.isPresent() && name.isPresent()
        ? Optional.of(new Invariant(name.get(), check.get(), severity(map).orElse(Severity.HIGH)))
        : Optional.empty();
  }

  private ReviewTerms review(YamlMap map) {
    map.only(List.of("sla", "escalate-after", "escalate-to", "two-persons", "while-pending"));
    map.oneOf("while-pending", List.of("last-agreed"));
    Duration sla = map.duration("sla").orElse(ReviewTerms.DEFAULT.sla());
    Duration escalate = map.duration("escalate-after").orElse(sla.multipliedBy(2));
    return new ReviewTerms(sla, escalate, map.texts("escalate-to"), map.texts("two-persons"));
  }

  private ClockTerms clock(YamlMap map) {
    map.only(List.of("tolerance", "uncertain"));
    return new ClockTerms(
        map.duration("tolerance").orElse(ClockTerms.DEFAULT.tolerance()),
        map.oneOf("uncertain", List.of("mark", "review")).orElse("mark").equals("review"));
  }

  static String upper(String label) {
    return label.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static <E> List<String> labels(E[] values, java.util.function.Function<E, String> label) {
    return Arrays.stream(values).map(label).toList();
  }
}
