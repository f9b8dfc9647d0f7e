// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.policy;

import dev.entente.core.SortedArrayMap;
import dev.entente.core.json.Path;
import dev.entente.core.record.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the records of one type are written, merged and reviewed. Immutable; made by {@link
 * PolicyLoader} from a file or by {@link #builder} in code.
 *
 * @param version names this policy's text; empty for the built-in default
 * @param recordUnit true where the whole record is one unit
 * @param limits what the records of the type may hold together; unique claims among them
 * @param manualThreshold conflicts more complex than this go to review; 1 sends none
 */
public record Policy(
    String type,
    String version,
    Consistency consistency,
    ReplicaTerms replicas,
    Set<WriteStyle> writes,
    Optional<Condition> identity,
    boolean recordUnit,
    StrategySpec fallback,
    SortedArrayMap<Path, FieldRule> fields,
    List<Group> groups,
    List<Rule> rules,
    List<Rule> escalations,
    List<Invariant> invariants,
    List<Limit> limits,
    Set<String> neverAutomatic,
    double manualThreshold,
    ReviewTerms review,
    ClockTerms clock,
    DeleteRule deletes) {

  public Policy {
    writes = Set.copyOf(writes);
    groups = List.copyOf(groups);
    rules = byPriority(rules);
    escalations = byPriority(escalations);
    invariants = List.copyOf(invariants);
    limits = List.copyOf(limits);
    neverAutomatic = Set.copyOf(neverAutomatic);
  }

  private static List<Rule> byPriority(List<Rule> rules) {
    return rules.stream().sorted((a, b) -> Integer.compare(b.priority(), a.priority())).toList();
  }

  /** What holds for a type nobody declared: every conflict goes to review. */
  public static Policy undeclared(String type) {
    return builder(type).build();
  }

  public static PolicyBuilder builder(String type) {
    return new PolicyBuilder(type);
  }

  /** The same policy under another version. */
  public Policy withVersion(String name) {
    return new Policy(
        type,
        name,
        consistency,
        replicas,
        writes,
        identity,
        recordUnit,
        fallback,
        fields,
        groups,
        rules,
        escalations,
        invariants,
        limits,
        neverAutomatic,
        manualThreshold,
        review,
        clock,
        deletes);
  }

  /** The rule for exactly this path, or null. */
  public @Nullable FieldRule field(Path path) {
    return fields.get(path);
  }

  /** The group that a top-level field belongs to, or null. */
  public @Nullable Group groupOf(String field) {
    for (Group group : groups) {
      if (group.fields().contains(field)) {
        return group;
      }
    }
    return null;
  }

  public @Nullable Group group(String name) {
    for (Group group : groups) {
      if (group.name().equals(name)) {
        return group;
      }
    }
    return null;
  }

  /**
   * True where the value at this path is one unit whatever its shape: declared, or the whole
   * record.
   */
  public boolean isWhole(Path path) {
    FieldRule rule = field(path);
    return (recordUnit && path.isRoot()) || (rule != null && rule.isWhole());
  }

  /** Whether concurrent changes of the unit's number may be added up. */
  public boolean sums(Unit unit) {
    if (sums(strategyOf(unit).orElse(fallback))) {
      return true;
    }
    for (Rule rule : rules) {
      if (sums(rule.then())) {
        return true;
      }
    }
    return false;
  }

  /** Whether that is what settles the unit first. */
  public boolean sumsFirst(Unit unit) {
    return strategyOf(unit).orElse(fallback).name().equals(StrategySpec.SUM_OF_CHANGES);
  }

  private static boolean sums(StrategySpec strategy) {
    return strategy.name().equals(StrategySpec.SUM_OF_CHANGES)
        || (strategy.otherwise().isPresent() && sums(strategy.otherwise().get()));
  }

  /** The strategy that the unit itself names, if it does. */
  public Optional<StrategySpec> strategyOf(Unit unit) {
    if (unit.isGroup()) {
      Group group = group(unit.path().last());
      return group == null ? Optional.empty() : group.strategy();
    }
    FieldRule rule = field(unit.path());
    return rule == null ? Optional.empty() : rule.strategy();
  }

  /**
   * The styles in which a unit may be written. Where nothing is said of the unit itself,
   * overwriting is left out for what is never automatic, has a lifecycle, or counts or collects:
   * there a writer who has not seen the record would destroy what others did.
   */
  public Set<WriteStyle> writesOf(Unit unit) {
    return terms(unit)
        .writes()
        .orElseGet(() -> {
          if (!isProtected(unit)) {
            return writes;
          }
          Set<WriteStyle> seeing = EnumSet.noneOf(WriteStyle.class);
          seeing.addAll(writes);
          seeing.remove(WriteStyle.OVERWRITE);
          return seeing;
        });
  }

  /** How far clocks may be apart in conflicts of a unit. */
  public ClockTerms clockOf(Unit unit) {
    return terms(unit).clock().orElse(clock);
  }

  private boolean isProtected(Unit unit) {
    FieldRule rule = unit.isGroup() ? null : field(unit.path());
    return isNeverAutomatic(unit)
        || strategyOf(unit).flatMap(StrategySpec::machine).isPresent()
        || (rule != null && (rule.cell().isCounter() || rule.cell().isSet()));
  }

  private UnitTerms terms(Unit unit) {
    Group group = unit.isGroup() ? group(unit.path().last()) : null;
    FieldRule rule = unit.isGroup() ? null : field(unit.path());
    return group != null ? group.terms() : rule != null ? rule.terms() : UnitTerms.DEFAULT;
  }

  /** The least severity that the unit's conflicts have. */
  public Severity severityOf(Unit unit) {
    Severity declared = declaredSeverity(unit);
    return isNeverAutomatic(unit) && declared.compareTo(Severity.HIGH) < 0
        ? Severity.HIGH
        : declared;
  }

  private Severity declaredSeverity(Unit unit) {
    if (unit.isGroup()) {
      Group group = group(unit.path().last());
      return group == null ? Severity.LOW : group.severity().orElse(Severity.LOW);
    }
    FieldRule rule = field(unit.path());
    return rule == null ? Severity.LOW : rule.severity().orElse(Severity.LOW);
  }

  /** The alert that is raised while a conflict of a unit is open, by the unit's label. */
  public Optional<String> alertOf(String label) {
    boolean isGroup = group(label) != null;
    return terms(isGroup ? Unit.group(label) : Unit.field(Path.parse(label))).alert();
  }

  /**
   * Whether only a person may settle the unit: it is named so itself, or holds or lies in what is.
   * That a record is there at all holds its fields only where the record is one unit.
   */
  public boolean isNeverAutomatic(Unit unit) {
    if (neverAutomatic.isEmpty()) {
      return false;
    }
    if (neverAutomatic.contains(unit.label())) {
      return true;
    }
    if (unit.path().isRoot() && !unit.isGroup()) {
      return recordUnit;
    }
    Group group = unit.isGroup() ? group(unit.path().last()) : null;
    return touches(neverAutomatic, group == null ? List.of(unit.path()) : paths(group));
  }

  /** The names of the units that the policy declares: fields, groups and what limits are about. */
  List<String> declaredNames() {
    List<String> names = new ArrayList<>();
    fields.keys().forEach(path -> names.add(path.toString()));
    for (Group group : groups) {
      names.add(group.name());
      names.addAll(group.fields());
    }
    for (Limit limit : limits) {
      limit.by().forEach(path -> names.add(path.toString()));
      limit.sum().ifPresent(path -> names.add(path.toString()));
    }
    return names;
  }

  /** Whether the policy declares a unit of this name, something in it, or what it lies in. */
  boolean declares(String unit) {
    Path path = Path.parse(unit);
    return group(unit) != null
        || declaredNames().stream()
            .map(Path::parse)
            .anyMatch(known -> known.contains(path) || path.contains(known));
  }

  /** The paths of what only a person may settle, groups field by field. */
  public List<Path> neverAutomaticPaths() {
    List<Path> paths = new ArrayList<>();
    for (String name : neverAutomatic) {
      Group group = group(name);
      paths.addAll(group == null ? List.of(Path.parse(name)) : paths(group));
    }
    return paths;
  }

  private static List<Path> paths(Group group) {
    return group.fields().stream().map(Path::parse).toList();
  }

  /** Whether one of these holds, or lies in, what is named. */
  private static boolean touches(Collection<String> named, List<Path> parts) {
    return named.stream()
        .map(Path::parse)
        .anyMatch(
            path -> parts.stream().anyMatch(part -> path.contains(part) || part.contains(path)));
  }

  /**
   * Whether one person must not decide on a unit alone: it is named, or holds or lies in what is.
   *
   * @param label as reviews give it; {@code record} and {@code alive} hold all others
   */
  public boolean needsTwo(String label) {
    List<String> named = review.twoPersons();
    if (named.isEmpty()) {
      return false;
    }
    if (named.contains(ReviewTerms.ALL)
        || named.contains(label)
        || label.equals("record")
        || label.equals("alive")) {
      return true;
    }
    Group group = group(label);
    return touches(named, group == null ? List.of(Path.parse(label)) : paths(group));
  }
}
