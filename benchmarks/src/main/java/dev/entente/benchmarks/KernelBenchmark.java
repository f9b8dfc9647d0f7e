// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Causality;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.ddata.ORSet;
import org.apache.pekko.cluster.ddata.PNCounter;
import org.apache.pekko.cluster.ddata.SelfUniqueAddress;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The kernel beside Pekko Distributed Data and plain maps: comparing and merging version vectors of
 * ten nodes, joining counters of ten nodes, and joining sets of 10,000 elements that diverged by
 * ten.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class KernelBenchmark {
  private static final int NODES = 10;
  private static final int ELEMENTS = 10_000;
  private static final int DIVERGED = 10;

  private final VersionVector vector = vector(0);
  private final VersionVector otherVector = vector(1);
  private final Map<String, Long> plainVector = plain(0);
  private final Map<String, Long> otherPlainVector = plain(1);
  private final org.apache.pekko.cluster.ddata.VersionVector pekkoVector = pekkoVector(0);
  private final org.apache.pekko.cluster.ddata.VersionVector otherPekkoVector = pekkoVector(1);

  private final Counter counter = counter(0);
  private final Counter otherCounter = counter(1);
  private final PNCounter pekkoCounter = pekkoCounter(0);
  private final PNCounter otherPekkoCounter = pekkoCounter(1);

  private final ObservedSet set;
  private final ObservedSet otherSet;
  private final VersionVector setSeen;
  private final VersionVector otherSetSeen;
  private final ORSet<String> pekkoSet;
  private final ORSet<String> otherPekkoSet;

  public KernelBenchmark() {
    NodeId a = new NodeId("node-0");
    NodeId b = new NodeId("node-1");
    ObservedSet base = ObservedSet.EMPTY;
    ORSet<String> pekkoBase = ORSet.create();
    for (int i = 1; i <= ELEMENTS; i++) {
      base = base.add(Json.of("element-" + i), new Dot(a, i), CausalContext.EMPTY);
      pekkoBase = pekkoBase.add(address(0), "element-" + i);
    }
    ObservedSet mine = base;
    ObservedSet theirs = base;
    ORSet<String> pekkoMine = pekkoBase;
    ORSet<String> pekkoTheirs = pekkoBase;
    for (int i = 1; i <= DIVERGED / 2; i++) {
      mine = mine.add(Json.of("mine-" + i), new Dot(a, ELEMENTS + i), CausalContext.EMPTY);
      theirs = theirs.add(Json.of("theirs-" + i), new Dot(b, i), CausalContext.EMPTY);
      pekkoMine = pekkoMine.add(address(0), "mine-" + i);
      pekkoTheirs = pekkoTheirs.add(address(1), "theirs-" + i);
    }
    set = mine;
    otherSet = theirs;
    setSeen = VersionVector.of(new Dot(a, ELEMENTS + DIVERGED / 2));
    otherSetSeen = VersionVector.of(new Dot(a, ELEMENTS)).with(new Dot(b, DIVERGED / 2));
    pekkoSet = pekkoMine;
    otherPekkoSet = pekkoTheirs;
  }

  /** Ten nodes; each side is ahead on half of them. */
  private static Map<String, Long> plain(int side) {
    Map<String, Long> entries = new HashMap<>();
    for (int i = 0; i < NODES; i++) {
      entries.put("node-" + i, 100L + (i % 2 == side ? 7 : 0));
    }
    return entries;
  }

  private static VersionVector vector(int side) {
    Map<NodeId, Long> entries = new TreeMap<>();
    plain(side).forEach((node, number) -> entries.put(new NodeId(node), number));
    return VersionVector.of(entries);
  }

  private static SelfUniqueAddress address(int node) {
    return new SelfUniqueAddress(
        new UniqueAddress(Address.apply("pekko", "system", "node-" + node, 7400), (long) node));
  }

  private static org.apache.pekko.cluster.ddata.VersionVector pekkoVector(int side) {
    org.apache.pekko.cluster.ddata.VersionVector vector =
        org.apache.pekko.cluster.ddata.VersionVector.empty();
    for (int i = 0; i < NODES; i++) {
      for (int times = i % 2 == side ? 2 : 1; times > 0; times--) {
        vector = vector.increment(address(i));
      }
    }
    return vector;
  }

  private static Counter counter(int side) {
    Counter counter = Counter.EMPTY;
    for (int i = 0; i < NODES; i++) {
      counter = counter.add(new NodeId("node-" + i), 100 + (i % 2 == side ? 7 : 0));
      counter = counter.add(new NodeId("node-" + i), -30);
    }
    return counter;
  }

  private static PNCounter pekkoCounter(int side) {
    PNCounter counter = PNCounter.create();
    for (int i = 0; i < NODES; i++) {
      counter = counter.increment(address(i), 100L + (i % 2 == side ? 7 : 0));
      counter = counter.decrement(address(i), 30L);
    }
    return counter;
  }

  @Benchmark
  public Causality compareVectors() {
    return vector.compare(otherVector);
  }

  @Benchmark
  public Causality compareVectorsPlainMaps() {
    boolean covers = covers(plainVector, otherPlainVector);
    boolean covered = covers(otherPlainVector, plainVector);
    return covers
        ? covered ? Causality.EQUAL : Causality.AFTER
        : covered ? Causality.BEFORE : Causality.CONCURRENT;
  }

  private static boolean covers(Map<String, Long> one, Map<String, Long> other) {
    for (Map.Entry<String, Long> entry : other.entrySet()) {
      if (one.getOrDefault(entry.getKey(), 0L) < entry.getValue()) {
        return false;
      }
    }
    return true;
  }

  @Benchmark
  public Object compareVectorsPekko() {
    return pekkoVector.compareTo(otherPekkoVector);
  }

  @Benchmark
  public VersionVector mergeVectors() {
    return vector.join(otherVector);
  }

  @Benchmark
  public Map<String, Long> mergeVectorsPlainMaps() {
    Map<String, Long> merged = new HashMap<>(plainVector);
    otherPlainVector.forEach((node, number) -> merged.merge(node, number, Math::max));
    return merged;
  }

  @Benchmark
  public Object mergeVectorsPekko() {
    return pekkoVector.merge(otherPekkoVector);
  }

  @Benchmark
  public Counter joinCounters() {
    return counter.join(otherCounter, VersionVector.EMPTY, VersionVector.EMPTY);
  }

  @Benchmark
  public Object joinCountersPekko() {
    return pekkoCounter.merge(otherPekkoCounter);
  }

  @Benchmark
  public ObservedSet joinSets() {
    return set.join(otherSet, setSeen, otherSetSeen);
  }

  @Benchmark
  public Object joinSetsPekko() {
    return pekkoSet.merge(otherPekkoSet);
  }
}
