// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.record;

import dev.entente.core.causality.Dot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Holds back versions of one record that came before what they build on, and applies them when it
 * has come. What stays in here names the causal violations. Bounded; not thread-safe.
 */
public final class CausalInbox {
  private final int heldMax;
  private final Supplier<Past> history;
  private final TreeMap<Dot, Version> held = new TreeMap<>();

  /** Of the versions that were applied here, the first of each request. */
  private final Map<Repetitions.Request, Version> firsts = new TreeMap<>();

  private RecordState state;

  /**
   * @param history gives the past of the state, those that were applied here included; see {@link
   *     RecordState#apply(Version, Supplier)}
   */
  public CausalInbox(RecordState state, int heldMax, Supplier<Past> history) {
    this.state = state;
    this.heldMax = heldMax;
    this.history = history;
  }

  /**
   * Offers a version in any order.
   *
   * @return the versions that were applied by this, in the order of application; empty where it was
   *     seen before or is held back
   * @throws IllegalStateException where the bound on held versions is reached
   */
  public List<Version> offer(Version version) {
    List<Version> applied = new ArrayList<>();
    if (!tryApply(version, applied)) {
      if (held.size() >= heldMax) {
        throw new IllegalStateException(
            "more than " + heldMax + " versions wait for their predecessors");
      }
      held.put(version.dot(), version);
      return applied;
    }
    boolean progress = !applied.isEmpty();
    while (progress) {
      progress = held.values().removeIf(waiting -> tryApply(waiting, applied));
    }
    return applied;
  }

  private boolean tryApply(Version version, List<Version> applied) {
    Optional<Repetitions.Request> request = Repetitions.Request.of(version);
    Optional<Version> first = request.map(firsts::get);
    RecordState.Applied result =
        first.isEmpty()
            ? state.apply(version, history)
            : state.applyRepeated(version, first.get().dot(), first.get().acceptedAt(), history);
    return switch (result) {
      case RecordState.Applied.Joined(RecordState next) -> {
        state = next;
        request.ifPresent(of -> firsts.merge(of, version, Repetitions::first));
        applied.add(version);
        yield true;
      }
      case RecordState.Applied.Seen() -> true;
      case RecordState.Applied.Missing _ -> false;
    };
  }

  public RecordState state() {
    return state;
  }

  /** What still waits for its predecessors, in canonical order. */
  public Collection<Version> held() {
    return List.copyOf(held.values());
  }
}
