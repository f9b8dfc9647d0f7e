// SPDX-License-Identifier: Apache-2.0
package dev.entente.benchmarks;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.Change;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.View;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
 * Detection and decision of one concurrent write in the core: the version joins the state, the
 * conflict is found, settled and explained.
 */
@State(Scope.Thread)
@BenchmarkMode({Mode.Throughput, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DecideBenchmark {
  private static final RecordKey KEY = new RecordKey("main", "profile", "1");
  private static final NodeId A = new NodeId("a");
  private static final NodeId B = new NodeId("b");

  private final Policy policy = Policy.builder("profile").fallback("last-writer-wins").build();
  private final RecordState before;
  private final Version concurrent;

  public DecideBenchmark() {
    Version base = version(A, 1, 0, CausalContext.EMPTY, "base", "light", "x", "y");
    RecordState start = joined(RecordState.EMPTY, base);
    before = joined(start, version(A, 2, 1, CausalContext.of(start.context()), "ann", "dark"));
    concurrent = version(B, 1, 0, CausalContext.of(start.context()), "bob", "blue");
  }

  private static Version version(
      NodeId node,
      long number,
      long previous,
      CausalContext context,
      String author,
      String theme,
      String... more) {
    HybridTime time = HybridTime.ofMillis(1_000 * number);
    java.util.ArrayList<Change> changes = new java.util.ArrayList<>();
    if (context.equals(CausalContext.EMPTY)) {
      changes.add(new Change.Assign(Unit.ALIVE, JsonObject.EMPTY, List.of(Ancestor.NOTHING)));
    }
    for (String name : more) {
      changes.add(
          new Change.Assign(Unit.field(Path.of(name)), Json.of(name), List.of(Ancestor.NOTHING)));
    }
    changes.add(
        new Change.Assign(
            Unit.field(Path.of("theme")),
            Json.of(theme),
            List.of(new Ancestor(List.of(), "", Json.of("light")))));
    return Version.builder(new Dot(node, number), KEY)
        .previous(previous)
        .context(context)
        .acceptedAt(time)
        .author(author)
        .changes(changes)
        .build();
  }

  private static RecordState joined(RecordState state, Version version) {
    if (state.apply(version) instanceof RecordState.Applied.Joined(RecordState next)) {
      return next;
    }
    throw new IllegalStateException("the versions follow each other");
  }

  @Benchmark
  public View decide() {
    return Deriver.derive(KEY, joined(before, concurrent), policy);
  }
}
