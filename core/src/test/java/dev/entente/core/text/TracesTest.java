// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Recorded editing histories end as they did for those who typed them. */
final class TracesTest {
  private static final int ORDERS = Integer.getInteger("entente.text.orders", 20);

  @BeforeEach
  void needsTheTraces() {
    assumeTrue(Files.isDirectory(Trace.folder()), "skipped: no shared/traces beside the project");
  }

  static List<String> sequential() {
    return Trace.SEQUENTIAL;
  }

  static List<String> concurrent() {
    return Trace.CONCURRENT;
  }

  @ParameterizedTest
  @MethodSource("sequential")
  void whatOneWriterTypedIsThere(String name) {
    Trace trace = Trace.read(name);
    TextDocument typed = trace.typed();
    assertThat(typed.toString()).isEqualTo(trace.end());
    TextDocument loaded = TextDocument.decode(typed.encode(), "reader");
    assertThat(loaded.toString()).isEqualTo(trace.end());
    assertThat(loaded.events()).isEqualTo(typed.events());
    assertThat(loaded.encode()).isEqualTo(typed.encode());
  }

  @ParameterizedTest
  @MethodSource("concurrent")
  void whatSeveralTypedAtOnceIsThere(String name) {
    Trace trace = Trace.read(name);
    TextDocument loaded = TextDocument.decode(trace.history(trace.recorded()), "reader");
    assertThat(loaded.toString()).isEqualTo(trace.end());
  }

  @ParameterizedTest
  @MethodSource("concurrent")
  void theOrderOfDeliveryDoesNotMatter(String name) {
    Trace trace = Trace.read(name);
    for (int seed = 0; seed < ORDERS; seed++) {
      Random random = new Random(seed);
      byte[] history = trace.history(anyOrder(trace, random));
      assertThat(TextDocument.decode(history, "reader").toString())
          .as("seed %d", seed)
          .isEqualTo(trace.end());
    }
  }

  @ParameterizedTest
  @MethodSource("concurrent")
  void itMayArriveInParts(String name) {
    Trace trace = Trace.read(name);
    Random random = new Random(7);
    for (int round = 0; round < 3; round++) {
      int[] order = anyOrder(trace, random);
      TextDocument reader = TextDocument.create("reader");
      for (int at = 0; at < order.length; ) {
        at = Math.min(order.length, at + 1 + random.nextInt(order.length / 10));
        reader.merge(trace.history(Arrays.copyOf(order, at)));
      }
      assertThat(reader.toString()).isEqualTo(trace.end());
    }
  }

  /** An order with parents first, and each agent's transactions in their own. */
  private static int[] anyOrder(Trace trace, Random random) {
    int count = trace.transactions().size();
    int[] waiting = new int[count];
    List<List<Integer>> children = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      children.add(new ArrayList<>());
    }
    int[] lastOf = new int[8];
    Arrays.fill(lastOf, -1);
    for (int i = 0; i < count; i++) {
      Trace.Transaction transaction = trace.transactions().get(i);
      for (int parent : transaction.parents()) {
        children.get(parent).add(i);
        waiting[i]++;
      }
      int last = lastOf[transaction.agent()];
      if (last >= 0) {
        children.get(last).add(i);
        waiting[i]++;
      }
      lastOf[transaction.agent()] = i;
    }
    IntArray ready = new IntArray();
    for (int i = 0; i < count; i++) {
      if (waiting[i] == 0) {
        ready.add(i);
      }
    }
    int[] order = new int[count];
    int done = 0;
    int stay = 0;
    while (ready.size() > 0) {
      int pick = stay-- > 0 ? ready.size() - 1 : random.nextInt(ready.size());
      stay = stay < 0 ? random.nextInt(200) : stay;
      int next = ready.get(pick);
      ready.set(pick, ready.last());
      ready.removeLast();
      order[done++] = next;
      for (int child : children.get(next)) {
        if (--waiting[child] == 0) {
          ready.add(child);
        }
      }
    }
    return order;
  }
}
