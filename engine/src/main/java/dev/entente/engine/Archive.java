// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Sequence;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Path;
import dev.entente.core.policy.FieldRule;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CellId;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what was: records at a moment or as somebody saw them, versions, recorded conflicts. */
final class Archive {
  private final Store store;
  private final Policies policies;
  private final Records records;
  private final History history;
  private final ErasureMarks erased;
  private final ReviewBook reviews;

  Archive(
      Store store,
      Policies policies,
      Records records,
      History history,
      ErasureMarks erased,
      ReviewBook reviews) {
    this.store = store;
    this.policies = policies;
    this.records = records;
    this.history = history;
    this.erased = erased;
    this.reviews = reviews;
  }

  /** All that is kept of a record's versions. */
  Past past(RecordKey key) {
    return history.past(key, lastPosition(key), null);
  }

  /** Since when the versions of a record are kept; empty where all are. */
  Optional<Instant> keptSince(RecordKey key) {
    Base base = history.base(key);
    return base.versions() == 0 ? Optional.empty() : Optional.of(base.until().instant());
  }

  /**
   * The record as it was accepted up to a moment, under the policy of today.
   *
   * @throws PrunedException where that lies before the history that is kept
   */
  Snapshot at(RecordKey key, HybridTime upTo) {
    Optional<ErasureMarks.Mark> erasure = erased.of(key);
    if (erasure.isPresent() && upTo.millis() < erasure.get().at().millis()) {
      throw erased(key, erasure.get());
    }
    RecordState state = history.at(key, lastPosition(key), upTo);
    return Records.derived(key, state, policies.inForce(key.tenant(), key.type()));
  }

  /**
   * The record as somebody with this context saw it.
   *
   * @throws PrunedException where that lies before the history that is kept
   */
  Snapshot through(RecordKey key, VersionVector context) {
    CausalContext seen = CausalContext.of(context);
    Optional<ErasureMarks.Mark> erasure = erased.of(key);
    if (erasure.isPresent() && !seen.contains(erasure.get().dot())) {
      throw erased(key, erasure.get());
    }
    Past past = past(key);
    if (!past.reaches(seen)) {
      throw new PrunedException(
          "the history of " + key + " no longer reaches this context; read the record as it is");
    }
    RecordState state = past.seenThrough(seen);
    return Records.derived(key, state, policies.inForce(key.tenant(), key.type()));
  }

  private static PrunedException erased(RecordKey key, ErasureMarks.Mark erasure) {
    return new PrunedException(
        "what "
            + key
            + " held was erased on "
            + erasure.at().instant()
            + "; ask for that moment or a later one");
  }

  /**
   * Where positions in a text or list are now that somebody with this context saw there.
   *
   * @param stickToNext true where a position moves with the item behind it, false with that before
   * @return empty where the policy declares no text or list at the path
   */
  Optional<int[]> positions(
      RecordKey key, Path path, VersionVector context, int[] positions, boolean stickToNext) {
    FieldRule rule = policies.inForce(key.tenant(), key.type()).field(path);
    if (rule == null || !rule.cell().isSequence()) {
      return Optional.empty();
    }
    CellId id = new CellId(Unit.field(path), rule.cell().cellClass());
    CausalContext seen = CausalContext.of(context);
    RecordState state = records.read(key).state();
    if (!(state.cells().get(id) instanceof Sequence sequence)) {
      return Optional.of(new int[positions.length]);
    }
    Sequence known = sequence.accepts(seen) ? sequence : past(key).unfolded(id);
    return Optional.of(known.positions(seen, positions, stickToNext));
  }

  private long lastPosition(RecordKey key) {
    return history.last(records.read(key), null);
  }

  /**
   * The versions of a record, newest first, from a position downwards; {@link Logged#previous} of
   * the last is where to go on.
   *
   * @param position {@code Long.MAX_VALUE} for the newest
   * @throws IllegalArgumentException where the position is none of the record's
   */
  List<Logged> versions(RecordKey key, long position, int limit) {
    List<Logged> versions = history.newestFirst(key, Math.min(position, lastPosition(key)), limit);
    long since = erased.of(key).map(ErasureMarks.Mark::position).orElse(0L);
    return versions.stream().filter(logged -> logged.position() >= since).toList();
  }

  /** What came for a tenant after a position, in order. */
  List<Feed> changes(String tenant, long since, int limit) {
    byte[] prefix = Keys.of(tenant);
    List<Feed> versions = new ArrayList<>();
    store.scan(
        Table.LOG,
        Keys.with(prefix, since + 1),
        Keys.after(prefix),
        false,
        (key, value) -> {
          versions.add(new Feed(Keys.lastNumber(key), VersionCodec.fromBytes(value)));
          return versions.size() < limit;
        });
    return versions;
  }

  /** A version, and those of its record that came after it. */
  record Written(Version version, List<Version> later) {}

  Optional<Written> written(RecordKey key, Dot dot) {
    List<Version> all =
        versions(key, Long.MAX_VALUE, Integer.MAX_VALUE).reversed().stream()
            .map(Logged::version)
            .toList();
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).dot().equals(dot)) {
        return Optional.of(new Written(all.get(i), all.subList(i + 1, all.size())));
      }
    }
    return Optional.empty();
  }

  /**
   * The latest moments at which writes to records of a type met a conflict, newest first.
   *
   * @param limit how many at most; older ones are left out
   */
  List<RecordedConflict> conflicts(String tenant, String type, int limit) {
    List<Feed> versions = new ArrayList<>();
    for (long position : Meetings.latest(store, tenant, type, limit)) {
      byte[] bytes = store.get(Table.LOG, History.logKey(tenant, position));
      if (bytes != null) {
        Version version = VersionCodec.fromBytes(bytes);
        if (erased.of(version.key()).filter(mark -> position < mark.position()).isEmpty()) {
          versions.add(new Feed(position, version));
        }
      }
    }
    Policy policy = policies.inForce(tenant, type);
    List<RecordedConflict> recorded = new ArrayList<>();
    for (Feed logged : versions) {
      Version version = logged.version();
      RecordState state = history.past(version.key(), logged.position(), null).replay();
      recorded.add(
          new RecordedConflict(
              version,
              state,
              Deriver.derive(version.key(), state, policy),
              id -> decision(tenant, id)));
    }
    return recorded;
  }

  private Optional<Json> decision(String tenant, String reviewId) {
    return reviews
        .get(tenant, reviewId)
        .filter(review -> review.status() == Review.Status.RESOLVED)
        .filter(review -> review.closing().decision() instanceof JsonObject)
        .map(review -> ((JsonObject) review.closing().decision()).get("value"))
        .filter(value -> !value.isAbsent());
  }
}
