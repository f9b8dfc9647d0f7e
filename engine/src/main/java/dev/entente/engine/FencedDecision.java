// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.json.Json;
import dev.entente.engine.Decision.Result;
import dev.entente.engine.Outcome.Code;
import dev.entente.engine.Outcome.Rejected;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The lock under which somebody decides, votes or takes up a review again. Where it is lost, the
 * decision is refused as a write would be.
 *
 * @param fence empty where no lock is named
 */
record FencedDecision(VersionChecks checks, Optional<Locks.Fence> fence, String actor) {

  /** The work, done only while the lock is held. */
  Function<Transaction, Result> around(
      Function<Transaction, Optional<Review>> review, Function<Transaction, Result> work) {
    return transaction -> {
      Optional<String> lost = fence.flatMap(checks.promised()::whyNot);
      if (lost.isPresent()) {
        Rejected refused = new Rejected(Code.STALE, lost.get(), Optional.empty());
        review
            .apply(transaction)
            .ifPresent(of ->
                VersionWriter.auditRefusal(
                    transaction, of.key(), actor, refused, Map.of("review", Json.of(of.id()))));
        return new Result.Refused(refused);
      }
      Result result = work.apply(transaction);
      fence.ifPresent(transaction::fence);
      return result;
    };
  }
}
