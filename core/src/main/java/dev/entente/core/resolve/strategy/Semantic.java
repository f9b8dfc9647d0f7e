// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.resolve.strategy;

import dev.entente.core.crdt.Assignment;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonAbsent;
import dev.entente.core.merge.SemanticMerge;
import dev.entente.core.merge.SemanticMerge.CannotMergeException;
import dev.entente.core.policy.StrategySpec.Settings;
import dev.entente.core.resolve.Dispute;
import dev.entente.core.resolve.Explain;
import dev.entente.core.resolve.Strategy;
import dev.entente.core.resolve.Verdict;
import java.util.List;

/**
 * Merges with a function of your own, named {@code semantic:<name>}: Java code on the class path,
 * or an expression under {@code semantics}. It is tried against the laws of merging before the
 * policy is accepted.
 */
final class Semantic implements Strategy {
  @Override
  public String name() {
    return "semantic";
  }

  @Override
  public String tieBreak() {
    return "the function's own, which must not depend on the sides; values are merged in the order of their dots";
  }

  @Override
  public Verdict decide(Dispute dispute) {
    if (!(dispute.spec().settings() instanceof Settings.Custom(SemanticMerge merge, _))) {
      return new Verdict.Unable("the policy names no merge function");
    }
    List<Json> values = dispute.competing().stream().map(Assignment::value).toList();
    if (values.contains(JsonAbsent.ABSENT)) {
      return new Verdict.Unable("a removal is among " + Explain.offers(dispute.competing()));
    }
    Json base = dispute.lastAgreed().orElse(JsonAbsent.ABSENT);
    try {
      Json merged = values.getFirst();
      for (Json next : values.subList(1, values.size())) {
        merged = next.equals(merged) ? merged : merge.merge(base, merged, next);
      }
      return merged.isAbsent()
          ? new Verdict.Unable(merge.name() + " returned nothing")
          : new Verdict.Settled(
              merged,
              merge.name()
                  + " made "
                  + Explain.value(merged)
                  + " of "
                  + Explain.offers(dispute.competing())
                  + ".");
    } catch (CannotMergeException e) {
      return new Verdict.Unable(merge.name() + " cannot: " + e.getMessage());
    } catch (RuntimeException | StackOverflowError e) {
      return new Verdict.Unable(merge.name() + " failed with " + e.getClass().getSimpleName());
    }
  }
}
