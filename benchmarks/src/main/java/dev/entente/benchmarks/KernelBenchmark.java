// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Causality;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.crdt.Counter;
import dev.entente.core.crdt.ObservedSet;
import dev.entente.core.json.Json;
import dev.entente.core.json.Path;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.UniqueAddress;
import org.apache.pekko.cluster.ddata.LWWMap;
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
 * ten nodes, joining counters of ten nodes, joining sets of 10,000 elements that diverged by ten,
 * applying those ten, and joining maps of a hundred fields.
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
  private static final int FIELDS = 100;

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

  private static final NodeId DELTA_NODE = new NodeId("node-2");
  private final List<Json> delta = new ArrayList<>();
  private final ORSet.DeltaOp pekkoDelta;

  private final RecordState map = map(0);
  private final RecordState otherMap = map(1);
  private final LWWMap<String, String> pekkoMap = pekkoMap(0);
  private final LWWMap<String, String> otherPekkoMap = pekkoMap(1);

  /** A hundred fields; each side has changed five that the other has not seen. */
  private static RecordState map(int side) {
    RecordState state = RecordState.EMPTY;
    Path[] fields = new Path[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
      fields[i] = Path.of("field-" + i);
    }
    List<Change> all = new ArrayList<>();
    for (Path field : fields) {
      all.add(new Change.Assign(Unit.field(field), Json.of("value"), List.of()));
    }
    Version first = version(new NodeId("node-0"), CausalContext.EMPTY, all);
    state = ((RecordState.Applied.Joined) state.apply(first)).state();
    List<Change> some = new ArrayList<>();
    for (int i = 0; i < DIVERGED / 2; i++) {
      some.add(
          new Change.Assign(Unit.field(fields[side * 50 + i]), Json.of("side " + side), List.of()));
    }
    Version second =
        version(new NodeId("node-" + (side + 1)), CausalContext.of(state.context()), some);
    return ((RecordState.Applied.Joined) state.apply(second)).state();
  }

  private static Version version(NodeId node, CausalContext seen, List<Change> changes) {
    HybridTime time = HybridTime.ofMillis(1_763_802_000_000L);
    return Version.builder(new Dot(node, 1), new RecordKey("main", "t", "r"))
        .context(seen)
        .acceptedAt(time)
        .author("author")
        .changes(changes)
        .build();
  }

  private static LWWMap<String, String> pekkoMap(int side) {
    LWWMap<String, String> map = LWWMap.create();
    for (int i = 0; i < FIELDS; i++) {
      map = map.put(address(0), "field-" + i, "value");
    }
    for (int i = 0; i < DIVERGED / 2; i++) {
      map = map.put(address(side + 1), "field-" + (side * 50 + i), "side " + side);
    }
    return map;
  }

  /** A value and when it was written. */
  public record Stamped(String value, long time) {}

  private final Map<String, long[]> plainCounter = plainCounter(0);
  private final Map<String, long[]> otherPlainCounter = plainCounter(1);
  private final Map<String, Set<Long>> plainSet = plainSet(0);
  private final Map<String, Set<Long>> otherPlainSet = plainSet(1);
  private final Map<String, Stamped> plainMap = plainMap(0);
  private final Map<String, Stamped> otherPlainMap = plainMap(1);

  private static Map<String, long[]> plainCounter(int side) {
    Map<String, long[]> counter = new HashMap<>();
    plain(side).forEach((node, ups) -> counter.put(node, new long[] {ups, 30}));
    return counter;
  }

  private static Map<String, Set<Long>> plainSet(int side) {
    Map<String, Set<Long>> set = new HashMap<>();
    for (int i = 1; i <= ELEMENTS; i++) {
      set.put("element-" + i, Set.of((long) i));
    }
    for (int i = 1; i <= DIVERGED / 2; i++) {
      set.put((side == 0 ? "mine-" : "theirs-") + i, Set.of((long) -i));
    }
    return set;
  }

  private static Map<String, Stamped> plainMap(int side) {
    Map<String, Stamped> map = new HashMap<>();
    for (int i = 0; i < FIELDS; i++) {
      map.put("field-" + i, new Stamped("value", 1));
    }
    for (int i = 0; i < DIVERGED / 2; i++) {
      map.put("field-" + (side * 50 + i), new Stamped("side " + side, 2));
    }
    return map;
  }

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
    ORSet<String> pekkoAdded = ORSet.<String>create().resetDelta();
    for (int i = 1; i <= DIVERGED; i++) {
      delta.add(Json.of("delta-" + i));
      pekkoAdded = pekkoAdded.add(address(2), "delta-" + i);
    }
    pekkoDelta = pekkoAdded.delta().get();
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

  /** As the sketches have it: for each node what it added and took away, the larger of each. */
  @Benchmark
  public Map<String, long[]> joinCountersPlainMaps() {
    Map<String, long[]> joined = new HashMap<>(plainCounter);
    otherPlainCounter.forEach((node, sums) ->
        joined.merge(
            node, sums, (a, b) -> new long[] {Math.max(a[0], b[0]), Math.max(a[1], b[1])}));
    return joined;
  }

  /** As the sketches have it: for each element its tags, united. */
  @Benchmark
  public Map<String, Set<Long>> joinSetsPlainMaps() {
    Map<String, Set<Long>> joined = new HashMap<>(plainSet);
    otherPlainSet.forEach((element, tags) ->
        joined.merge(
            element,
            tags,
            (a, b) -> {
              Set<Long> both = new HashSet<>(a);
              both.addAll(b);
              return both;
            }));
    return joined;
  }

  /** As the sketches have it: for each field a value and a time, the later of the two. */
  @Benchmark
  public Map<String, Stamped> joinMapsPlainMaps() {
    Map<String, Stamped> joined = new HashMap<>(plainMap);
    otherPlainMap.forEach(
        (field, value) -> joined.merge(field, value, (a, b) -> a.time() >= b.time() ? a : b));
    return joined;
  }

  @Benchmark
  public ObservedSet joinSets() {
    return set.join(otherSet, setSeen, otherSetSeen);
  }

  @Benchmark
  public Object joinSetsPekko() {
    return pekkoSet.merge(otherPekkoSet);
  }

  /** The ten additions by which the sides differ, as they travel. */
  @Benchmark
  public ObservedSet applySetDelta() {
    ObservedSet result = set;
    for (int i = 1; i <= DIVERGED; i++) {
      result = result.add(delta.get(i - 1), new Dot(DELTA_NODE, i), CausalContext.EMPTY);
    }
    return result;
  }

  @Benchmark
  public Object applySetDeltaPekko() {
    return pekkoSet.mergeDelta(pekkoDelta);
  }

  @Benchmark
  public RecordState joinMaps() {
    return map.join(otherMap);
  }

  @Benchmark
  public Object joinMapsPekko() {
    return pekkoMap.merge(otherPekkoMap);
  }
}
