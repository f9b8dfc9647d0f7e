// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.causality.Dot;
import dev.entente.core.crdt.Assignment;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.library.Replica;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.record.RecordKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What all have read is the base of what follows: nothing older is shown again. */
class LastAgreedTest {
  private static final RecordKey KEY = new RecordKey("main", "note", "a");

  private static Json value(Replica replica) {
    return Path.of("v").in(replica.read());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "manual-review",
        "{strategy: rollback, to: last-agreed, otherwise: manual-review}",
        "last-writer-wins",
        "highest-value"
      })
  void anOverruledValueNeverComesBackOnManyReplicas(String strategy) throws Exception {
    Policy policy = PolicyLoader.load("type: note\ndefault: " + strategy + "\n").policy();
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed * 7_919L);
      long[] clock = {1_000};
      List<Replica> all = new ArrayList<>();
      for (int i = 2 + random.nextInt(4); i > 0; i--) {
        all.add(new Replica("r" + i, KEY, policy, () -> clock[0] += random.nextInt(3)));
      }
      all.getFirst().put("ann", JsonObject.of("v", Json.of("start")));
      int values = 0;
      for (int round = 0; round < 5; round++) {
        // All meet, and one of them settles what is open; all read that.
        all.forEach(one -> all.forEach(one::join));
        all.getFirst().put("ann", JsonObject.of("v", Json.of("agreed " + seed + " " + round)));
        all.forEach(one -> one.join(all.getFirst()));
        Set<Json> since = new HashSet<>(Set.of(value(all.getFirst())));
        for (int step = 0; step < 12; step++) {
          Replica one = all.get(random.nextInt(all.size()));
          if (random.nextInt(3) > 0) {
            Json next = Json.of("value " + values++);
            since.add(next);
            one.put("author " + random.nextInt(3), JsonObject.of("v", next));
          } else {
            one.join(all.get(random.nextInt(all.size())));
          }
          assertThat(since).as("seed %d round %d", seed, round).contains(value(one));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void pendingFieldShowsWhatAllHadReadLast(int authors) throws Exception {
    Policy policy = PolicyLoader.load("type: note\ndefault: manual-review\n").policy();
    for (int seed = 0; seed < 300; seed++) {
      Random random = new Random(seed * 7_919L);
      long[] clock = {1_000};
      AgreedValue oracle = new AgreedValue();
      List<Replica> all = new ArrayList<>();
      for (int i = 2 + random.nextInt(3); i > 0; i--) {
        all.add(new Replica("r" + i, KEY, policy, () -> clock[0] += random.nextInt(3)));
      }
      write(all.getFirst(), "author 0", Json.of("start"), oracle);
      all.forEach(one -> one.join(all.getFirst()));
      for (int step = 0; step < 13; step++) {
        Replica one = all.get(random.nextInt(all.size()));
        if (random.nextInt(3) == 0) {
          one.join(all.get(random.nextInt(all.size())));
        } else if (!one.view().hasPending() || random.nextInt(3) == 0) {
          write(one, "author " + random.nextInt(authors), Json.of("value " + step), oracle);
        }
        for (Resolution open : one.view().resolutions()) {
          List<Dot> competing = open.conflict().competing().stream().map(Assignment::dot).toList();
          oracle
              .of(competing)
              .ifPresent(
                  agreed -> assertThat(value(one)).as("%s", open.conflict()).isEqualTo(agreed));
        }
      }
    }
  }

  private static void write(Replica one, String author, Json value, AgreedValue oracle)
      throws EditProblem {
    oracle.add(one.put(author, JsonObject.of("v", value)).orElseThrow(), value);
  }
}
