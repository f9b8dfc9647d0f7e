// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.resolve.Deriver;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import org.jspecify.annotations.Nullable;

/**
 * The records as they are committed. Only the sequencer puts into the cache, after a commit, so
 * that a slow reader can never put an old state over a new one. Thread-safe for reading.
 */
final class Records {
  private final Store store;
  private final Policies policies;
  private final Cache<RecordKey, Snapshot> cache;

  Records(Store store, Policies policies, int cacheRecords) {
    this.store = store;
    this.policies = policies;
    this.cache = Caffeine.newBuilder().maximumSize(cacheRecords).build();
  }

  /** The record as it is committed, under the policy in force. */
  Snapshot read(RecordKey key) {
    return current(load(key));
  }

  Snapshot load(RecordKey key) {
    @Nullable Snapshot cached = cache.getIfPresent(key);
    if (cached != null) {
      return cached;
    }
    byte[] bytes = store.get(Table.RECORDS, Keys.of(key));
    RecordState state = bytes == null ? RecordState.EMPTY : StateCodec.fromBytes(bytes);
    return derived(key, state, policies.inForce(key.tenant(), key.type()));
  }

  /** The same record under the policy in force, derived anew where that has changed. */
  Snapshot current(Snapshot snapshot) {
    Policy policy = policies.inForce(snapshot.key().tenant(), snapshot.key().type());
    return snapshot.policyVersion().equals(policy.version())
        ? snapshot
        : derived(snapshot.key(), snapshot.state(), policy);
  }

  static Snapshot derived(RecordKey key, RecordState state, Policy policy) {
    return new Snapshot(key, state, Deriver.derive(key, state, policy), policy.version());
  }

  void publish(Snapshot snapshot) {
    cache.put(snapshot.key(), snapshot);
  }
}
