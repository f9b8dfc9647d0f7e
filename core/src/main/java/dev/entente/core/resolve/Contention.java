// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonString;
import dev.entente.core.policy.Condition.ConditionException;
import dev.entente.core.policy.Limit;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.resolve.Resolution.Status;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Several records that together hold more than a limit allows: who keeps what they hold, and who
 * gives way. The same parties give the same answer on every node. In the conflict each competing
 * value is the id of a record.
 *
 * @param resolution pending where a person decides
 * @param losers who gives way; empty while it is pending
 */
public record Contention(Resolution resolution, List<RecordKey> losers) {
  /** Records that are named where many hold one value. */
  private static final int NAMED_MAX = 5;

  public Contention {
    losers = List.copyOf(losers);
  }

  /**
   * A record that holds something.
   *
   * @param claim the assignment by which it does, with the record's id as its value
   */
  public record Party(RecordKey key, Assignment claim, BigDecimal amount) {
    /** A record with what it holds under a limit. */
    public static Party of(RecordKey key, RecordState state, Limit limit, BigDecimal amount) {
      return new Party(key, claim(state, limit).with(Json.of(key.id())), amount);
    }

    private static Assignment claim(RecordState state, Limit limit) {
      Unit unit = limit.by().isEmpty() ? Unit.ALIVE : Unit.field(limit.by().getFirst());
      List<Assignment> claims = state.register(unit).values();
      return claims.isEmpty() ? state.register(Unit.ALIVE).values().getLast() : claims.getLast();
    }
  }

  /**
   * Settles who keeps what they hold, one after the other as far as the limit reaches.
   *
   * @param parties at least one, in the order of their ids
   * @param most what the limit allows these parties together
   */
  public static Contention settle(
      Policy policy, Limit limit, JsonArray group, BigDecimal most, List<Party> parties) {
    Conflict conflict = conflict(limit, parties);
    String what = what(limit, group, most, parties);
    Arbiter arbiter = new Arbiter(conflict.key(), policy);
    Arbiter.Asked keep;
    try {
      keep = keep(arbiter, limit, conflict);
    } catch (ConditionException e) {
      return pending(conflict, what, "A condition of the policy failed: " + e.getMessage() + ". ");
    }
    List<Party> left = new ArrayList<>(parties);
    List<RecordKey> losers = new ArrayList<>();
    BigDecimal taken = BigDecimal.ZERO;
    String why = "";
    boolean uncertain = false;
    while (!left.isEmpty()) {
      Party next = left.getFirst();
      if (left.size() > 1) {
        List<Json> ids = left.stream().map(party -> Json.of(party.key().id())).toList();
        Resolution first =
            arbiter.chain(
                keep,
                conflict(limit, left),
                value ->
                    ids.contains(value)
                        ? Optional.empty()
                        : Optional.of("the result would be none of the records"));
        if (first.status() != Status.RESOLVED) {
          return pending(conflict, what, keep.because().isEmpty() ? "" : first.explanation() + " ");
        }
        why = why.isEmpty() ? first.explanation() : why;
        uncertain |= first.uncertain();
        next = named(left, first.value());
      }
      left.remove(next);
      BigDecimal sum = taken.add(next.amount());
      if (sum.compareTo(most) <= 0) {
        taken = sum;
      } else {
        losers.add(next.key());
      }
    }
    Resolution settled =
        new Resolution(
            conflict,
            Status.RESOLVED,
            keep.strategy().name(),
            Json.of(losers.stream().map(key -> Json.of(key.id())).toList()),
            what
                + why
                + " "
                + String.join(", ", losers.stream().map(RecordKey::id).toList())
                + (losers.size() == 1 ? " gives way." : " give way."),
            uncertain,
            false);
    return new Contention(settled, losers);
  }

  /** An escalation, else a rule where the limit leaves it to people, else what the limit says. */
  private static Arbiter.Asked keep(Arbiter arbiter, Limit limit, Conflict conflict) {
    return arbiter
        .escalation(conflict)
        .or(() ->
            limit.keep().name().equals("manual-review") ? arbiter.rule(conflict) : Optional.empty())
        .orElse(new Arbiter.Asked(limit.keep(), ""));
  }

  private static Contention pending(Conflict conflict, String what, String because) {
    return new Contention(
        Arbiter.pending(
            conflict,
            "manual-review",
            what
                + because
                + "A person decides between "
                + Explain.offers(conflict.competing())
                + "."),
        List.of());
  }

  private static Party named(List<Party> parties, Json id) {
    return parties.stream()
        .filter(party -> id.equals(new JsonString(party.key().id())))
        .findFirst()
        .orElseThrow();
  }

  private static Conflict conflict(Limit limit, List<Party> parties) {
    double more = Math.max(0, parties.size() - 2);
    return new Conflict(
        parties.getFirst().key(),
        limit.by().isEmpty() ? Unit.ALIVE : Unit.field(limit.by().getFirst()),
        false,
        ConflictType.RESOURCE_CONTENTION,
        limit.severity(),
        more / (more + 4),
        parties.stream().map(Party::claim).toList(),
        Optional.empty());
  }

  private static String what(Limit limit, JsonArray group, BigDecimal most, List<Party> parties) {
    String values = String.join(", ", group.items().stream().map(Explain::value).toList());
    if (limit.isUnique()) {
      List<String> named =
          parties.stream()
              .limit(NAMED_MAX)
              .map(party -> party.key().type() + "/" + party.key().id())
              .toList();
      return limit.by().getFirst()
          + " "
          + values
          + " is held by "
          + String.join(", ", named)
          + (parties.size() > NAMED_MAX
              ? " and " + (parties.size() - NAMED_MAX) + " more. "
              : ". ");
    }
    BigDecimal sum = BigDecimal.ZERO;
    for (Party party : parties) {
      sum = sum.add(party.amount());
    }
    return limit.name()
        + (values.isEmpty() ? "" : " of " + values)
        + " is "
        + sum.toPlainString()
        + " among "
        + parties.size()
        + " records, "
        + sum.subtract(most).toPlainString()
        + " too much. ";
  }
}
