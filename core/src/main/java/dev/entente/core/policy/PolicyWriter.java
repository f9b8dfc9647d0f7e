// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.json.JsonString;
import dev.entente.core.json.Path;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.policy.StrategySpec.Patience;
import dev.entente.core.policy.StrategySpec.PriorityOf;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.vote.Electorate;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Writes a policy as a file that {@link PolicyLoader} reads as an equal policy, apart from the
 * version, which names the text. What holds for all strategies is written at each of them.
 */
public final class PolicyWriter {
  private static final Pattern PLAIN = Pattern.compile("[a-z][a-z0-9_/-]*");

  /** Plain texts that YAML, in one of its versions, reads as something else. */
  private static final Set<String> RESERVED =
      Set.of("true", "false", "null", "yes", "no", "on", "off", "y", "n");

  private static final Map<String, Long> UNITS = new LinkedHashMap<>();

  static {
    UNITS.put("d", 86_400_000L);
    UNITS.put("h", 3_600_000L);
    UNITS.put("m", 60_000L);
    UNITS.put("s", 1_000L);
    UNITS.put("ms", 1L);
  }

  private final Map<String, Object> file = new LinkedHashMap<>();
  private final TreeMap<String, List<String>> roles = new TreeMap<>();
  private final TreeMap<String, Json> semantics = new TreeMap<>();

  private PolicyWriter() {}

  /**
   * The text of the policy's file.
   *
   * @throws IllegalArgumentException where no file says the same: a merge function that is only
   *     there in this program, or a duration that is no whole number of milliseconds
   */
  public static String write(Policy policy) {
    String text = new PolicyWriter().text(policy);
    try {
      Policy read = PolicyLoader.load(text).policy();
      if (!read.withVersion(policy.version()).equals(policy)) {
        throw new IllegalArgumentException("no file says the same as this policy");
      }
      return text;
    } catch (PolicyException e) {
      throw new IllegalArgumentException("no file says this: " + e.getMessage(), e);
    }
  }

  private String text(Policy policy) {
    file.put("type", Json.of(policy.type()));
    if (policy.consistency() != Consistency.EVENTUAL) {
      file.put("consistency", consistency(policy));
    }
    if (!policy.writes().equals(EnumSet.allOf(WriteStyle.class))) {
      file.put("writes", styles(policy.writes()));
    }
    policy.identity().ifPresent(expression -> file.put("identity", Json.of(expression.source())));
    if (policy.recordUnit()) {
      file.put("unit", Json.of("record"));
    }
    file.put("default", spec(policy.fallback()));
    file.put("roles", Map.of());
    file.put("semantics", Map.of());
    Map<String, Json> fields = new LinkedHashMap<>();
    policy.fields().forEach((path, rule) -> fields.put(path.toString(), field(rule)));
    file.put("fields", fields);
    Map<String, Json> groups = new LinkedHashMap<>();
    policy.groups().forEach(group -> groups.put(group.name(), group(group)));
    file.put("groups", groups);
    file.put("rules", policy.rules().stream().map(rule -> rule(rule, "then")).toList());
    file.put(
        "escalations", policy.escalations().stream().map(rule -> rule(rule, "action")).toList());
    file.put("invariants", policy.invariants().stream().map(PolicyWriter::invariant).toList());
    file.put("limits", policy.limits().stream().map(this::limit).toList());
    file.put("never-automatic", texts(new TreeSet<>(policy.neverAutomatic())).items());
    if (policy.manualThreshold() != 1) {
      file.put(
          "manual-threshold", Json.of(new BigDecimal(Double.toString(policy.manualThreshold()))));
    }
    if (!policy.review().equals(ReviewTerms.DEFAULT)) {
      file.put("review", review(policy.review()));
    }
    if (!policy.clock().equals(ClockTerms.DEFAULT)) {
      file.put("clock", clock(policy.clock()));
    }
    if (policy.deletes() != DeleteRule.MANUAL_REVIEW) {
      file.put("deletes", Json.of(policy.deletes().label()));
    }
    Map<String, Json> members = new LinkedHashMap<>();
    roles.forEach((role, names) -> members.put(role, texts(names)));
    file.put("roles", members);
    file.put("semantics", semantics);
    return printed();
  }

  /** Lists and maps one entry a line, what is in them as JSON. */
  private String printed() {
    StringBuilder out = new StringBuilder();
    file.forEach((key, value) -> {
      switch (value) {
        case Map<?, ?> map when map.isEmpty() -> {}
        case List<?> list when list.isEmpty() -> {}
        case Map<?, ?> map -> {
          out.append(key).append(":\n");
          map.forEach((name, entry) ->
              out.append("  ")
                  .append(quoted(name.toString()))
                  .append(": ")
                  .append(scalar((Json) entry))
                  .append('\n'));
        }
        case List<?> list -> {
          out.append(key).append(":\n");
          list.forEach(item -> out.append("  - ").append(scalar((Json) item)).append('\n'));
        }
        default -> out.append(key).append(": ").append(scalar((Json) value)).append('\n');
      }
    });
    return out.toString();
  }

  private static String scalar(Json value) {
    return value instanceof JsonString(String text) ? quoted(text) : JsonPrinter.print(value);
  }

  private static String quoted(String text) {
    return PLAIN.matcher(text).matches() && !RESERVED.contains(text)
        ? text
        : JsonPrinter.print(Json.of(text));
  }

  private static Json consistency(Policy policy) {
    ReplicaTerms terms = policy.replicas();
    if (terms.equals(ReplicaTerms.DEFAULT)) {
      return Json.of(policy.consistency().label());
    }
    return policy.consistency() == Consistency.PRIMARY
        ? JsonObject.of("primary", texts(terms.primaries()))
        : JsonObject.of(
            "quorum",
            JsonObject.of(
                Map.of(
                    "n", Json.of(terms.copies()),
                    "r", Json.of(terms.read()),
                    "w", Json.of(terms.written()))));
  }

  private static JsonArray texts(Collection<String> texts) {
    return new JsonArray(texts.stream().map(Json::of).toList());
  }

  private static Json styles(Set<WriteStyle> styles) {
    return texts(EnumSet.copyOf(styles).stream().map(WriteStyle::label).toList());
  }

  private Json field(FieldRule rule) {
    boolean plain =
        rule.cell() == CellKind.REGISTER
            && rule.severity().isEmpty()
            && rule.terms().equals(UnitTerms.DEFAULT);
    if (plain && rule.strategy().isPresent()) {
      return spec(rule.strategy().get());
    }
    TreeMap<String, Json> map = new TreeMap<>();
    map.put("cell", Json.of(rule.cell().label()));
    rule.strategy().ifPresent(spec -> map.putAll(settings(spec)));
    terms(map, rule.severity(), rule.terms());
    return JsonObject.of(map);
  }

  private Json group(Group group) {
    TreeMap<String, Json> map = new TreeMap<>();
    map.put("fields", texts(group.fields()));
    group.strategy().ifPresent(spec -> map.putAll(settings(spec)));
    group.strategy().flatMap(StrategySpec::machine).ifPresent(machine -> states(map, machine));
    terms(map, group.severity(), group.terms());
    return JsonObject.of(map);
  }

  private static void states(Map<String, Json> map, StateMachine machine) {
    TreeMap<String, Json> states = new TreeMap<>();
    machine.states().forEach((from, to) -> states.put(from, texts(to)));
    map.put("states", JsonObject.of(states));
    map.put("state-field", Json.of(machine.field()));
    if (!machine.absorbing().isEmpty()) {
      map.put("absorbing", texts(machine.absorbing()));
    }
    TreeMap<String, Json> same = new TreeMap<>();
    machine
        .sameState()
        .forEach((state, rule) ->
            same.put(
                state,
                JsonObject.of("by", Json.of(rule.by()))
                    .with("take", Json.of(rule.highest() ? "highest-value" : "lowest-value"))));
    if (!same.isEmpty()) {
      map.put("same-state", JsonObject.of(same));
    }
  }

  private static void terms(Map<String, Json> map, Optional<Severity> severity, UnitTerms terms) {
    severity.ifPresent(least -> map.put("severity", Json.of(least.label())));
    terms.writes().ifPresent(styles -> map.put("writes", styles(styles)));
    terms.clock().ifPresent(clock -> map.put("clock", clock(clock)));
    terms.alert().ifPresent(alert -> map.put("alert", Json.of(alert)));
  }

  private Json rule(Rule rule, String action) {
    JsonObject json =
        JsonObject.of(
            Map.of(
                "name",
                Json.of(rule.name()),
                "when",
                Json.of(rule.when().source()),
                action,
                spec(rule.then()),
                "priority",
                Json.of(rule.priority())));
    return rule.overridesFields() ? json.with("overrides-fields", Json.of(true)) : json;
  }

  private static Json invariant(Invariant invariant) {
    return JsonObject.of(
        Map.of(
            "name", Json.of(invariant.name()),
            "check", Json.of(invariant.check().source()),
            "severity", Json.of(invariant.severity().label())));
  }

  private Json limit(Limit limit) {
    TreeMap<String, Json> map = new TreeMap<>();
    map.put("name", Json.of(limit.name()));
    limit.sum().ifPresent(path -> map.put("sum", Json.of(path.toString())));
    if (!limit.by().isEmpty()) {
      map.put("by", texts(limit.by().stream().map(Path::toString).toList()));
    }
    limit.when().ifPresent(when -> map.put("when", Json.of(when.source())));
    map.put(
        "at-most",
        switch (limit.cap()) {
          case Limit.Cap.Fixed(var most) -> Json.of(most);
          case Limit.Cap.Each(var most) -> {
            TreeMap<String, Json> each = new TreeMap<>();
            most.forEach((group, number) -> each.put(group, Json.of(number)));
            yield JsonObject.of(each);
          }
          case Limit.Cap.Held(String type, Path path) -> Json.of(type + "/" + path);
        });
    map.put("severity", Json.of(limit.severity().label()));
    map.put("keep", spec(limit.keep()));
    limit.loser().ifPresent(patch -> map.put("loser", patch));
    return JsonObject.of(map);
  }

  private static Json review(ReviewTerms review) {
    return JsonObject.of(
        Map.of(
            "sla", duration(review.sla()),
            "escalate-after", duration(review.escalateAfter()),
            "escalate-to", texts(review.escalateTo()),
            "two-persons", texts(review.twoPersons())));
  }

  private static Json clock(ClockTerms clock) {
    return JsonObject.of("tolerance", duration(clock.tolerance()))
        .with("uncertain", Json.of(clock.reviewUncertain() ? "review" : "mark"));
  }

  private Json spec(StrategySpec spec) {
    Map<String, Json> settings = settings(spec);
    return settings.size() == 1 ? Json.of(spec.name()) : JsonObject.of(settings);
  }

  private Map<String, Json> settings(StrategySpec spec) {
    Map<String, Json> map = new TreeMap<>();
    map.put("strategy", Json.of(spec.name()));
    switch (spec.settings()) {
      case Settings.None _, Settings.States _ -> {}
      case Settings.Ranking(
              PriorityOf of,
              List<Json> order,
              SortedArrayMap<String, List<String>> members) -> {
        map.put("of", Json.of(of.name().toLowerCase(Locale.ROOT)));
        map.put("order", new JsonArray(order));
        members.forEach(roles::put);
      }
      case Settings.Merging(StrategySpec clashes) -> map.put("clashes", spec(clashes));
      case Settings.Voting(Electorate electorate) -> voting(map, electorate);
      case Settings.Back(Moment to) -> map.put("to", moment(to));
      case Settings.Custom custom -> semantic(custom);
    }
    spec.patience().ifPresent(patience -> patience(map, patience));
    spec.otherwise().ifPresent(next -> map.put("otherwise", spec(next)));
    return map;
  }

  private static void voting(Map<String, Json> map, Electorate electorate) {
    TreeMap<String, Json> voters = new TreeMap<>();
    electorate
        .voters()
        .forEach((name, voter) ->
            voters.put(
                name,
                voter
                    .key()
                    .<Json>map(key ->
                        JsonObject.of("key", Json.of(key)).with("weight", Json.of(voter.weight())))
                    .orElse(Json.of(voter.weight()))));
    map.put("voters", JsonObject.of(voters));
    if (electorate.faulty() > 0) {
      map.put("faulty", Json.of(electorate.faulty()));
    }
  }

  private static Json moment(Moment to) {
    return switch (to) {
      case Moment.Checkpoint() -> Json.of("checkpoint");
      case Moment.Earlier(Duration by) -> duration(by);
      case Moment.At(var time) -> Json.of(time.toString());
    };
  }

  private static void patience(Map<String, Json> map, Patience patience) {
    map.put("time-out", duration(patience.timeOut()));
    if (patience.retries() > 0) {
      map.put("retries", Json.of(patience.retries()));
    }
  }

  private void semantic(Settings.Custom custom) {
    TreeMap<String, Json> map = new TreeMap<>();
    if (custom.merge() instanceof ExpressionMerge expression) {
      map.put("merge", Json.of(expression.expression().source()));
      map.put("examples", new JsonArray(expression.examples()));
    }
    if (custom.unchecked()) {
      map.put("unchecked", Json.of("taken over from another policy"));
    }
    if (!map.isEmpty()) {
      semantics.put(custom.merge().name(), JsonObject.of(map));
    }
  }

  private static Json duration(Duration duration) {
    if (duration.equals(Duration.ofMillis(duration.toMillis())) && !duration.isNegative()) {
      for (Map.Entry<String, Long> unit : UNITS.entrySet()) {
        long amount = duration.toMillis() / unit.getValue();
        if (duration.toMillis() % unit.getValue() == 0
            && amount < 1_000_000
            && (amount > 0 || unit.getValue() == 1)) {
          return Json.of(amount + unit.getKey());
        }
      }
    }
    throw new IllegalArgumentException("no file says the duration " + duration);
  }
}
