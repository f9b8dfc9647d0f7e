// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.JsonPrinter;
import dev.entente.core.policy.Policy;
import dev.entente.core.policy.PolicyLoader;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The states of replicas as JSON and as bytes: stable, complete, and nothing else is read. */
class StateFormTest {
  private static final Json TEA = Json.of("tea");
  private static final Json MUG = Json.of(Map.of("n", 1));

  private static List<Replicated<?>> examples() {
    GCounter g = new GCounter("a");
    g.increment(5);
    PNCounter pn = new PNCounter("a");
    pn.add(3);
    pn.add(-1);
    GSet gset = new GSet("a");
    gset.add(TEA);
    ORSet or = new ORSet("a");
    or.add(TEA);
    or.add(MUG);
    or.remove(TEA);
    RWSet rw = new RWSet("a");
    rw.add(TEA);
    rw.remove(TEA);
    MVRegister mv = new MVRegister("a");
    mv.assign(MUG);
    LWWRegister lww = new LWWRegister("a", () -> 1_000);
    lww.assign(Json.of(2.5));
    return List.of(g, pn, gset, or, rw, mv, lww);
  }

  private static List<Supplier<Replicated<?>>> empty(String name) {
    return List.of(
        () -> new GCounter(name),
        () -> new PNCounter(name),
        () -> new GSet(name),
        () -> new ORSet(name),
        () -> new RWSet(name),
        () -> new MVRegister(name),
        () -> new LWWRegister(name, () -> 1_000));
  }

  @Test
  void jsonIsTheSameInEveryRelease() {
    List<String> cells =
        List.of(
            "{\"a\":[5,0]}",
            "{\"a\":[3,1]}",
            "[[\"tea\",[[\"a\",1]],[]]]",
            "[[{\"n\":1},[[\"a\",2]],[]]]",
            "[[\"tea\",[],[[\"a\",2]]]]",
            "[{\"context\":{},\"dot\":[\"a\",1],\"time\":0,\"value\":{\"n\":1}}]",
            "[{\"context\":{},\"dot\":[\"a\",1],\"time\":65536000,\"value\":2.5}]");
    List<Replicated<?>> examples = examples();
    for (int i = 0; i < examples.size(); i++) {
      JsonObject state = (JsonObject) examples.get(i).toJson();
      assertThat(JsonPrinter.print(state.get("cell"))).isEqualTo(cells.get(i));
    }
    assertThat(JsonPrinter.print(examples.getFirst().toJson()))
        .isEqualTo(
            "{\"cell\":{\"a\":[5,0]},\"format\":1,\"kept\":[],\"kind\":\"g-counter\",\"seen\":{\"a\":1},\"since\":{}}");
  }

  @Test
  void anEmptyReplicaTakesAStateAndGoesOn() {
    List<Replicated<?>> examples = examples();
    for (int i = 0; i < examples.size(); i++) {
      Replicated<?> read = empty("a").get(i).get();
      read.mergeBytes(examples.get(i).toBytes());
      assertThat(read.toBytes()).isEqualTo(examples.get(i).toBytes());
      Replicated<?> other = empty("b").get(i).get();
      other.mergeJson(examples.get(i).toJson());
      other.mergeJson(examples.get(i).toJson());
      assertThat(other.toJson()).isEqualTo(examples.get(i).toJson());
    }
    PNCounter again = new PNCounter("a");
    again.mergeBytes(examples.get(1).toBytes());
    again.add(10);
    assertThat(again.value()).isEqualTo(12);
  }

  @Test
  void whatOneLacksIsEnough() {
    ORSet here = new ORSet("here");
    ORSet there = new ORSet("there");
    here.add(TEA);
    here.add(MUG);
    there.mergeBytes(here.toBytes());
    var known = there.seen();
    there.add(Json.of("pot"));
    here.remove(TEA);
    here.add(Json.of("cup"));
    byte[] delta = here.toBytes(known);
    assertThat(JsonPrinter.print(here.toJson(known))).doesNotContain("tea");
    there.mergeBytes(delta);
    assertThat(there.elements()).containsExactlyInAnyOrder(MUG, Json.of("pot"), Json.of("cup"));
    assertThatThrownBy(() -> new ORSet("new").mergeBytes(delta))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("builds on");
  }

  @Test
  void receivedStatesAndDeltasConvergeAsReplicasDo() {
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      List<RWSet> sets = List.of(new RWSet("a"), new RWSet("b"), new RWSet("c"));
      List<MVRegister> registers =
          List.of(new MVRegister("a"), new MVRegister("b"), new MVRegister("c"));
      for (int step = 0; step < 80; step++) {
        int at = random.nextInt(3);
        int from = random.nextInt(3);
        Json value = Json.of(random.nextInt(5));
        switch (random.nextInt(4)) {
          case 0 -> sets.get(at).add(value);
          case 1 -> sets.get(at).remove(value);
          case 2 -> registers.get(at).assign(value);
          default -> exchange(sets, registers, at, from);
        }
      }
      for (int i = 0; i < 18; i++) {
        exchange(sets, registers, i % 3, i / 3 % 3);
      }
      assertThat(sets.get(0).toJson()).isEqualTo(sets.get(1).toJson());
      assertThat(sets.get(1).toBytes()).isEqualTo(sets.get(2).toBytes());
      assertThat(registers.get(0).toBytes()).isEqualTo(registers.get(2).toBytes());
    }
  }

  private static void exchange(List<RWSet> sets, List<MVRegister> registers, int at, int from) {
    RWSet expected = new RWSet("x");
    expected.merge(sets.get(at));
    expected.merge(sets.get(from));
    sets.get(at).mergeBytes(sets.get(from).toBytes(sets.get(at).seen()));
    assertThat(sets.get(at).toJson()).isEqualTo(expected.toJson());
    registers.get(at).mergeJson(registers.get(from).toJson(registers.get(at).seen()));
  }

  @Test
  void twoReplicasOfOneNameAreRefused() {
    PNCounter one = new PNCounter("a");
    PNCounter two = new PNCounter("a");
    one.add(1);
    two.add(2);
    assertThatThrownBy(() -> one.merge(two)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> one.mergeBytes(two.toBytes()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("two replicas named a");
    two.add(3);
    assertThatThrownBy(() -> one.mergeBytes(two.toBytes()))
        .isInstanceOf(IllegalStateException.class);
    PNCounter third = new PNCounter("c");
    MVRegister left = new MVRegister("a");
    MVRegister right = new MVRegister("a");
    left.assign(TEA);
    right.assign(MUG);
    MVRegister other = new MVRegister("c");
    other.mergeBytes(left.toBytes());
    assertThatThrownBy(() -> other.mergeBytes(right.toBytes()))
        .isInstanceOf(IllegalStateException.class);
    assertThat(one.value()).isEqualTo(1);
    assertThat(third.value()).isZero();
  }

  @Test
  void twoRecordReplicasOfOneNameAreRefused() throws Exception {
    Policy policy = PolicyLoader.load("type: t\ndefault: last-writer-wins\n").policy();
    RecordKey key = new RecordKey("main", "t", "r");
    Replica one = new Replica("a", key, policy, () -> 1_000);
    Replica two = new Replica("a", key, policy, () -> 1_000);
    Version first = one.put("ann", Map.of("x", 1)).orElseThrow();
    Version other = two.put("bob", Map.of("x", 2)).orElseThrow();
    Version later = two.put("bob", Map.of("x", 3)).orElseThrow();
    one.receive(first);
    for (Version version : List.of(other, later)) {
      assertThatThrownBy(() -> one.receive(version))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("named a");
    }
    Replica restored = new Replica("a", key, policy, () -> 1_000);
    two.since(restored.context()).forEach(restored::receive);
    assertThat(restored.put("bob", Map.of("x", 4)).orElseThrow().dot().number()).isEqualTo(3);
  }

  @Test
  void aShareThatLeaves64BitsIsRefused() {
    PNCounter counter = new PNCounter("a");
    counter.add(Long.MAX_VALUE);
    assertThatThrownBy(() -> counter.add(1)).isInstanceOf(ArithmeticException.class);
    counter.add(-Long.MAX_VALUE);
    assertThatThrownBy(() -> counter.add(Long.MIN_VALUE)).isInstanceOf(ArithmeticException.class);
    assertThat(counter.value()).isZero();
  }

  @Test
  void damagedAndHostileBytesAreRefusedOrHarmless() {
    Random random = new Random(5);
    List<Replicated<?>> examples = examples();
    for (int round = 0; round < 4_000; round++) {
      int which = random.nextInt(examples.size());
      byte[] bytes = examples.get(which).toBytes();
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      bytes =
          Arrays.copyOf(
              bytes, random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length);
      Replicated<?> read = empty("b").get(which).get();
      byte[] before = read.toBytes();
      try {
        read.mergeBytes(bytes);
      } catch (IllegalArgumentException | IllegalStateException _) {
        assertThat(read.toBytes()).isEqualTo(before);
      }
    }
  }

  @Test
  void anotherKindOrFormatIsRefused() {
    List<Replicated<?>> examples = examples();
    for (int i = 0; i < examples.size(); i++) {
      Replicated<?> other = empty("b").get((i + 1) % examples.size()).get();
      Json state = examples.get(i).toJson();
      assertThatThrownBy(() -> other.mergeJson(state)).isInstanceOf(IllegalArgumentException.class);
    }
    JsonObject newer = ((JsonObject) examples.getFirst().toJson()).with("format", Json.of(2));
    assertThatThrownBy(() -> new GCounter("b").mergeJson(newer))
        .hasMessageContaining("this release");
    byte[] nested = new byte[5_000];
    Arrays.fill(nested, (byte) 1);
    System.arraycopy(new byte[] {'E', 'N', 'L', 1}, 0, nested, 0, 4);
    for (int i = 4; i + 1 < nested.length; i += 2) {
      nested[i] = 5;
    }
    List<byte[]> hostile = new ArrayList<>(List.of(nested, new byte[0], new byte[] {'E'}));
    hostile.add(new byte[] {'E', 'N', 'L', 1, 5, -1, -1, -1, -1, 7});
    for (byte[] bytes : hostile) {
      assertThatThrownBy(() -> new GCounter("b").mergeBytes(bytes))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
