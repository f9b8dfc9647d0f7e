// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.CellKind;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Group;
import dev.entente.core.policy.Limit;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.StrategySpec;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.View;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a policy hits in the records that are there already: those that break its invariants or
 * limits or are in a state that it does not know, and those with values in fields whose cell or
 * unit it changes. Reads only.
 *
 * @param records how many records were looked at
 * @param isComplete whether these are all; otherwise the counts are lower bounds
 * @param hits what was found, in the order of its descriptions
 */
public record PolicyImpact(int records, boolean isComplete, List<Hit> hits) {
  private static final int RECORDS_MAX = 10_000;
  private static final int PAGE = 500;

  public PolicyImpact {
    hits = List.copyOf(hits);
  }

  /**
   * One kind of consequence.
   *
   * @param what what it is and what becomes of these records, as a statement
   * @param count how many records
   * @param example the id of one of them
   */
  public record Hit(String what, int count, String example) {
    /** One sentence for people. */
    public String sentence(boolean isComplete) {
      return what
          + ": "
          + (isComplete ? "" : "at least ")
          + count
          + (count == 1 ? " record, for example " : " records, for example ")
          + example;
    }
  }

  /** Looks at up to {@value #RECORDS_MAX} records of the policy's type. */
  public static PolicyImpact of(Node node, String tenant, Policy draft) {
    Survey survey = new Survey(node, tenant, draft);
    Optional<String> after = Optional.empty();
    int records = 0;
    boolean complete = false;
    while (records < RECORDS_MAX && !complete) {
      List<RecordKey> page = node.records(tenant, draft.type(), after, PAGE);
      page.forEach(key -> survey.look(node.read(key)));
      records += page.size();
      complete = page.size() < PAGE;
      after = page.isEmpty() ? after : Optional.of(page.getLast().id());
    }
    survey.judgeLimits();
    return new PolicyImpact(records, complete, List.copyOf(survey.found.values()));
  }

  /** What is found while records are looked at, one after the other. */
  private static final class Survey {
    private final Node node;
    private final String tenant;
    private final Policy current;
    private final Policy draft;
    private final Map<String, Hit> found = new TreeMap<>();
    private final Map<Limit, Map<JsonArray, Taken>> taken = new LinkedHashMap<>();

    /** What the records of one group take of a limit. */
    private record Taken(BigDecimal amount, int records, RecordKey last) {}

    Survey(Node node, String tenant, Policy draft) {
      this.node = node;
      this.tenant = tenant;
      this.current = node.policy(tenant, draft.type());
      this.draft = draft;
    }

    void look(Snapshot snapshot) {
      RecordKey key = snapshot.key();
      View then = Deriver.derive(key, snapshot.state(), draft);
      if (!then.exists()) {
        return;
      }
      Deriver.brokenInvariant(draft, then.data())
          .ifPresent(why ->
              count(
                  "the invariant "
                      + why
                      + " is broken, and only writes that change what it reads are refused",
                  key));
      draft.fields().forEach((path, rule) -> lookAtCell(path, rule, then, key));
      draft.groups().forEach(group -> lookAtGroup(group, then, key));
      Json now = snapshot.view().data();
      for (Group group : current.groups()) {
        for (String field : group.fields()) {
          if (draft.groupOf(field) == null
              && !Path.of(field).in(now).equals(Path.of(field).in(then.data()))) {
            count(
                field
                    + " leaves the group "
                    + group.name()
                    + " and shows again what it held before it was a part of it, until it is"
                    + " written",
                key);
          }
        }
      }
      for (Limit limit : draft.limits()) {
        limit
            .shareOf(then.data())
            .ifPresent(share ->
                taken
                    .computeIfAbsent(limit, _ -> new TreeMap<>())
                    .merge(
                        share.group(),
                        new Taken(share.amount(), 1, key),
                        (a, b) ->
                            new Taken(a.amount().add(b.amount()), a.records() + 1, b.last())));
      }
    }

    private void lookAtCell(Path path, FieldRule rule, View then, RecordKey key) {
      FieldRule before = current.field(path);
      CellKind was = before == null ? CellKind.REGISTER : before.cell();
      if (rule.cell().cellClass() != was.cellClass() && !path.in(then.data()).isAbsent()) {
        count(
            "the cell of "
                + path
                + " changes from "
                + was.label()
                + " to "
                + rule.cell().label()
                + ", which takes the value over with the next write of the field",
            key);
      }
    }

    private void lookAtGroup(Group group, View then, RecordKey key) {
      JsonObject data = (JsonObject) then.data();
      for (String field : group.fields()) {
        Group was = current.groupOf(field);
        if (!data.get(field).isAbsent() && (was == null || !was.name().equals(group.name()))) {
          count(
              field
                  + " becomes a part of the group "
                  + group.name()
                  + ", which takes the value over with the next write of the group",
              key);
        }
      }
      draft
          .strategyOf(Unit.group(group.name()))
          .flatMap(StrategySpec::machine)
          .ifPresent(machine -> {
            String state = machine.stateOf(data);
            if (!state.isEmpty() && !machine.knows(state)) {
              count(
                  "the group "
                      + group.name()
                      + " does not know the state "
                      + state
                      + ", which stays until a known one is written",
                  key);
            }
          });
    }

    /** Names the groups of records that take more than a limit allows. */
    void judgeLimits() {
      taken.forEach((limit, groups) ->
          groups.forEach((group, all) ->
              most(limit, group)
                  .filter(most -> all.amount().compareTo(most) > 0)
                  .ifPresent(most -> {
                    String what =
                        "the limit "
                            + limit.name()
                            + " is exceeded, and records give way as its keep says, or wait for a"
                            + " review";
                    found.merge(
                        what,
                        new Hit(what, all.records(), all.last().id()),
                        (known, more) ->
                            new Hit(what, known.count() + more.count(), known.example()));
                  })));
    }

    private Optional<BigDecimal> most(Limit limit, JsonArray group) {
      return switch (limit.cap()) {
        case Limit.Cap.Fixed(BigDecimal most) -> Optional.of(most);
        case Limit.Cap.Each each -> Optional.ofNullable(each.most().get(Limit.nameOf(group)));
        case Limit.Cap.Held(String type, Path field) -> {
          String id = Limit.nameOf(group);
          yield RecordKey.problemWith(id) == null
                  && field.in(node.read(new RecordKey(tenant, type, id)).view().data())
                      instanceof JsonNumber(BigDecimal most)
              ? Optional.of(most)
              : Optional.empty();
        }
      };
    }

    private void count(String what, RecordKey key) {
      found.merge(
          what,
          new Hit(what, 1, key.id()),
          (known, _) -> new Hit(what, known.count() + 1, known.example()));
    }
  }
}
