// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.crdt.SumHistory;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.library.Replica;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.record.RecordKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Every change of a summed field counts exactly once, whoever had read what. */
class SumHistoryTest {
  private static final String POLICY =
      "type: account\ndefault: last-writer-wins\nfields: {v: sum-of-changes}\n";
  private static final RecordKey KEY = new RecordKey("main", "account", "a");
  private static final long START = 100;

  /** A replica, and which changes it has received. */
  private record Branch(Replica replica, Set<Integer> has) {
    long value() {
      return number(replica.read());
    }
  }

  private static long number(Json data) {
    return Path.of("v").in(data) instanceof JsonNumber n ? n.longValue() : Long.MIN_VALUE;
  }

  private final List<Long> changes = new ArrayList<>();

  private List<Branch> branches(int count) throws Exception {
    changes.clear();
    long[] clock = {1_000};
    List<Branch> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new Branch(new Replica("r" + i, KEY, policy(), () -> clock[0]++), new HashSet<>()));
    }
    all.getFirst().replica().put("first", document(START, 0));
    for (Branch other : all.subList(1, count)) {
      other.replica().join(all.getFirst().replica());
    }
    return all;
  }

  private static dev.entente.core.policy.Policy policy() throws Exception {
    return PolicyLoader.load(POLICY).policy();
  }

  private static JsonObject document(long value, int other) {
    return JsonObject.of(Map.of("v", Json.of(value), "note", Json.of(other)));
  }

  private void add(Branch to, long change) throws Exception {
    to.has().add(changes.size());
    changes.add(change);
    to.replica().put("author " + to.replica().hashCode() % 7, document(to.value() + change, 0));
  }

  private static void join(Branch into, Branch from) {
    into.replica().join(from.replica());
    into.has().addAll(from.has());
  }

  private long expected(Branch branch) {
    return START + branch.has().stream().mapToLong(changes::get).sum();
  }

  @Test
  void everyChangeCountsOnceInRandomHistoriesOfManyReplicas() throws Exception {
    Map<String, Integer> wrong = new TreeMap<>();
    for (int seed = 0; seed < 120; seed++) {
      Random random = new Random(seed * 7_919L);
      List<Branch> all = branches(2 + random.nextInt(4));
      for (int step = 0; step < 30; step++) {
        Branch one = all.get(random.nextInt(all.size()));
        Branch other = all.get(random.nextInt(all.size()));
        if (random.nextBoolean()) {
          add(one, random.nextInt(1, 4));
        } else {
          join(one, other);
        }
        if (one.value() != expected(one)) {
          wrong.merge(all.size() + " replicas", 1, Integer::sum);
          break;
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void equalChangesAreTwoChanges() throws Exception {
    List<Branch> all = branches(3);
    for (Branch one : all) {
      add(one, 5);
    }
    join(all.get(0), all.get(1));
    join(all.get(0), all.get(2));
    assertThat(all.get(0).value()).isEqualTo(START + 15);
  }

  @Test
  void branchesThatReadDifferentSumsHaveEveryChangeOnce() throws Exception {
    List<Branch> all = branches(3);
    all.forEach(one -> change(one, 1 + all.indexOf(one)));
    List<Branch> before = branchesOf(all);
    for (int i = 0; i < 3; i++) {
      join(all.get(i), before.get((i + 1) % 3));
      change(all.get(i), 10);
    }
    join(all.get(0), all.get(1));
    join(all.get(0), all.get(2));
    assertThat(all.get(0).value()).isEqualTo(START + 1 + 2 + 3 + 30);
  }

  @Test
  void longRunsOfOneBranchAndAnOldSecondOneAddUp() throws Exception {
    List<Branch> all = branches(3);
    for (int i = 0; i < 5 * SumHistory.EARLIER_MAX; i++) {
      change(all.get(0), 1);
      if (i == 10) {
        join(all.get(1), all.get(0));
        change(all.get(1), 1_000);
      }
    }
    change(all.get(2), 5_000);
    join(all.get(2), all.get(0));
    join(all.get(2), all.get(1));
    assertThat(all.get(2).value()).isEqualTo(expected(all.get(2)));
  }

  @Test
  void aNumberThatTwoHaveBegunWithIsOneNumber() throws Exception {
    Replica one = new Replica("r1", KEY, policy(), () -> 1);
    Replica two = new Replica("r2", KEY, policy(), () -> 2);
    one.put("ann", document(100, 0));
    two.put("bob", document(100, 0));
    one.join(two);
    assertThat(number(one.read())).isEqualTo(100);
    one.put("ann", document(107, 0));
    two.put("bob", document(103, 0));
    one.join(two);
    assertThat(number(one.read())).isEqualTo(110);
  }

  private void change(Branch to, long change) {
    try {
      add(to, change);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** Copies of what the branches are now. */
  private List<Branch> branchesOf(List<Branch> all) throws Exception {
    List<Branch> copies = new ArrayList<>();
    for (Branch one : all) {
      Branch copy =
          new Branch(new Replica("copy" + copies.size(), KEY, policy(), () -> 1), new HashSet<>());
      join(copy, one);
      copies.add(copy);
    }
    return copies;
  }
}
