// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import static org.assertj.core.api.Assertions.assertThat;

import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.policy.PolicyProblem.PolicyException;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

/** What docs/library.md shows is so, and the named CRDTs are what their names promise. */
class LibraryTest {
  private final AtomicLong millis = new AtomicLong(1_763_802_000_000L);
  private final LongSupplier clock = millis::incrementAndGet;

  @Test
  void createEditJoinReadExplain() throws PolicyException, EditProblem {
    Policy policy =
        PolicyLoader.load(
                """
                type: cart
                default: last-writer-wins
                fields: {items: {cell: set}, payment: manual-review}
                """)
            .policy();
    RecordKey key = new RecordKey("main", "cart", "c-1");
    Replica phone = new Replica("phone", key, policy, clock);
    Replica tablet = new Replica("tablet", key, policy, clock);

    phone.put("ann", Map.of("items", List.of("tea"), "payment", "card-1"));
    tablet.join(phone);

    phone.put("ann", Map.of("items", List.of("tea", "mug"), "payment", "card-2"));
    tablet.put("bob", Map.of("items", List.of("pot"), "payment", "card-3"));
    phone.join(tablet);
    tablet.join(phone);

    assertThat(phone.read())
        .hasToString("{\"items\":[\"mug\",\"pot\"],\"payment\":\"card-1\"}")
        .isEqualTo(tablet.read());
    assertThat(phone.explain())
        .singleElement()
        .asString()
        .startsWith("Waits for a person to decide: \"card-2\" by ann at ")
        .contains(" against \"card-3\" by bob at ");
    phone.put("eve", Map.of("items", List.of("mug", "pot"), "payment", "card-3"));
    tablet.join(phone);
    assertThat(tablet.explain()).isEmpty();
    assertThat(tablet.read()).isEqualTo(phone.read());
  }

  @Test
  void versionsInAnyOrderAndTwiceGiveTheSame() throws EditProblem {
    Policy policy = Policy.builder("t").fallback("last-writer-wins").build();
    RecordKey key = new RecordKey("main", "t", "r");
    Replica writer = new Replica("writer", key, policy, clock);
    List<Version> versions = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      writer.put("w", Map.of("n", i, "m", i / 3)).ifPresent(versions::add);
    }
    for (int seed = 0; seed < 20; seed++) {
      List<Version> arriving = new ArrayList<>(versions);
      arriving.addAll(versions.subList(0, 10));
      Collections.shuffle(arriving, new Random(seed));
      Replica reader = new Replica("reader", key, policy, clock);
      arriving.forEach(reader::receive);
      assertThat(reader.view()).isEqualTo(writer.view());
      assertThat(reader.since(writer.context())).isEmpty();
    }
  }

  @Test
  void anAdditionWinsInAnObservedRemoveSetAndARemovalInTheOther() {
    ORSet here = new ORSet("here");
    ORSet there = new ORSet("there");
    here.add(Json.of("mouse"));
    there.merge(here);
    there.remove(Json.of("mouse"));
    here.add(Json.of("mouse"));
    here.merge(there);
    assertThat(here.contains(Json.of("mouse"))).isTrue();
    RWSet left = new RWSet("left");
    RWSet right = new RWSet("right");
    left.add(Json.of("mouse"));
    right.merge(left);
    right.remove(Json.of("mouse"));
    left.add(Json.of("mouse"));
    left.merge(right);
    assertThat(left.contains(Json.of("mouse"))).isFalse();
  }

  @Test
  void countersAddUpWhoeverMergesWithWhomAndHowOften() {
    GCounter usa = new GCounter("usa");
    GCounter eu = new GCounter("eu");
    GCounter asia = new GCounter("asia");
    usa.increment(150);
    eu.increment(200);
    asia.increment(75);
    usa.merge(eu);
    usa.merge(asia);
    usa.merge(eu);
    eu.merge(usa);
    assertThat(eu.value()).isEqualTo(BigInteger.valueOf(425)).isEqualTo(usa.value());
    PNCounter stock = new PNCounter("a");
    PNCounter other = new PNCounter("b");
    stock.add(100);
    stock.add(-30);
    other.add(50);
    other.add(-25);
    stock.merge(other);
    assertThat(stock.value()).isEqualTo(BigInteger.valueOf(95));
  }

  @Test
  void registersKeepWhatIsConcurrentOrShowTheLast() {
    MVRegister left = new MVRegister("left");
    MVRegister right = new MVRegister("right");
    left.assign(Json.of("a"));
    right.assign(Json.of("b"));
    left.merge(right);
    assertThat(left.values()).containsExactly(Json.of("a"), Json.of("b"));
    left.assign(Json.of("c"));
    right.merge(left);
    assertThat(right.values()).containsExactly(Json.of("c"));

    LWWRegister early = new LWWRegister("early", clock);
    LWWRegister late = new LWWRegister("late", clock);
    early.assign(Json.of("first"));
    late.assign(Json.of("second"));
    early.merge(late);
    late.merge(early);
    assertThat(early.value()).contains(Json.of("second")).isEqualTo(late.value());
    assertThat(early.concurrent()).containsExactly(Json.of("second"), Json.of("first"));
  }

  @Test
  void aCounterIsStoredSentAndTakenUpAgain() {
    PNCounter phone = new PNCounter("phone");
    phone.add(3);
    byte[] stored = phone.toBytes();
    PNCounter tablet = new PNCounter("tablet");
    tablet.mergeBytes(phone.toBytes(tablet.seen()));
    PNCounter restarted = new PNCounter("phone");
    restarted.mergeBytes(stored);
    assertThat(tablet.value()).isEqualTo(3);
    restarted.add(1);
    tablet.mergeBytes(restarted.toBytes(tablet.seen()));
    assertThat(tablet.value()).isEqualTo(4);
  }

  @Test
  void replicasOfEveryKindConvergeInAnyOrderOfMerging() {
    for (int seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      List<ORSet> sets = List.of(new ORSet("a"), new ORSet("b"), new ORSet("c"));
      List<GSet> grown = List.of(new GSet("a"), new GSet("b"), new GSet("c"));
      List<LWWRegister> last =
          List.of(
              new LWWRegister("a", clock),
              new LWWRegister("b", clock),
              new LWWRegister("c", clock));
      for (int step = 0; step < 60; step++) {
        int at = random.nextInt(3);
        int other = random.nextInt(3);
        Json value = Json.of(random.nextInt(6));
        switch (random.nextInt(4)) {
          case 0 -> sets.get(at).add(value);
          case 1 -> sets.get(at).remove(value);
          case 2 -> {
            grown.get(at).add(value);
            last.get(at).assign(value);
          }
          default -> {
            sets.get(at).merge(sets.get(other));
            grown.get(at).merge(grown.get(other));
            last.get(at).merge(last.get(other));
          }
        }
      }
      for (int round = 0; round < 2; round++) {
        for (int at = 0; at < 3; at++) {
          for (int other = 0; other < 3; other++) {
            sets.get(at).merge(sets.get(other));
            grown.get(at).merge(grown.get(other));
            last.get(at).merge(last.get(other));
          }
        }
      }
      assertThat(sets.get(0).elements()).isEqualTo(sets.get(1).elements());
      assertThat(sets.get(1).elements()).isEqualTo(sets.get(2).elements());
      assertThat(grown.get(0).elements()).isEqualTo(grown.get(2).elements());
      assertThat(last.get(0).value()).isEqualTo(last.get(2).value());
    }
  }
}
