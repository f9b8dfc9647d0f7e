// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.policy.Policy;

/**
 * What follows a record as it changes, wherever the change was made: claims and reviews; and of the
 * registry's records what they say of reviews and freezes. Used by the sequencer's thread only.
 */
record Derived(Claims claims, ReviewBook reviews, Freezes freezes, ErasureMarks erasures) {
  void follow(
      Transaction transaction,
      Snapshot before,
      Snapshot after,
      Policy policy,
      String actor,
      long nowMillis) {
    if (ReviewSheet.isOne(after.key())) {
      reviews.handle(transaction, ReviewSheet.of(before), after, actor);
    } else if (Freezes.isOne(after.key())) {
      freezes.follow(transaction, after, actor);
    } else {
      claims.follow(transaction, before, after, policy, nowMillis);
      reviews.follow(transaction, before, after, policy, actor, nowMillis);
    }
  }
}
