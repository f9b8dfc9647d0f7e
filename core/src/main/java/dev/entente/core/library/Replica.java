// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.policy.Policy;
import dev.entente.core.record.CausalInbox;
import dev.entente.core.record.Change;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Deriver;
import dev.entente.core.resolve.Resolution;
import dev.entente.core.resolve.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * One replica of one record, in memory: edited here, joined with others in any order, read and
 * explained under a policy. Replicas with the same versions show the same, whatever the order. It
 * keeps all versions; storing and sending them is up to the program. Not thread-safe.
 */
public final class Replica {
  /** Versions that wait for what they build on, at most. */
  private static final int HELD_MAX = 10_000;

  private final NodeId self;
  private final RecordKey key;
  private final Policy policy;
  private final HybridClock clock;
  private final List<Version> versions = new ArrayList<>();
  private final Map<Dot, Version> known = new HashMap<>();
  private final CausalInbox inbox;

  /** Whether something was written here, so that nobody else knows more of this replica. */
  private boolean written;

  /**
   * An empty replica.
   *
   * @param name the replica's, never used for another: letters, digits, {@code -} and {@code _}
   * @param clockMillis the physical clock, in milliseconds since 1970
   */
  public Replica(String name, RecordKey key, Policy policy, LongSupplier clockMillis) {
    this.self = new NodeId(name);
    this.key = key;
    this.policy = policy;
    this.clock = new HybridClock(clockMillis, Long.MAX_VALUE / 2, HybridTime.ZERO);
    this.inbox = new CausalInbox(RecordState.EMPTY, HELD_MAX, () -> Past.of(List.copyOf(versions)));
  }

  /**
   * Writes the whole document; see {@link #edit}.
   *
   * @param document maps, lists, texts, numbers, booleans and null
   */
  public Optional<Version> put(String author, Object document) throws EditProblem {
    if (Json.of(document) instanceof JsonObject object) {
      return edit(author, new Edit.Put(object));
    }
    throw new EditProblem("a record is an object");
  }

  /**
   * Edits the record as it is read here.
   *
   * @return the version, for the other replicas; empty where nothing changed
   * @throws EditProblem where the edit is not possible on the declared cells; nothing has changed
   */
  public Optional<Version> edit(String author, Edit edit) throws EditProblem {
    VersionVector seen = inbox.state().context();
    List<Change> changes = Authoring.changes(inbox.state(), policy, author, view().data(), edit);
    if (changes.isEmpty()) {
      return Optional.empty();
    }
    HybridTime now = clock.next();
    Version version =
        Version.builder(new Dot(self, seen.get(self) + 1), key)
            .previous(seen.get(self))
            .context(CausalContext.of(seen))
            .acceptedAt(now)
            .author(author)
            .changes(changes)
            .build();
    take(version);
    written = true;
    return Optional.of(version);
  }

  /**
   * Takes in a version of another replica, in any order and as often as it comes.
   *
   * @throws IllegalStateException where more versions wait for their predecessors than is sensible,
   *     or two replicas have one name; nothing has changed
   */
  public void receive(Version version) {
    Version same = known.getOrDefault(version.dot(), version);
    boolean own = version.dot().node().equals(self) && !known.containsKey(version.dot());
    if (!same.equals(version) || (own && written)) {
      throw new IllegalStateException(
          "there are two replicas named "
              + version.dot().node()
              + "; give each a name of its own, since joining them would lose changes");
    }
    take(version);
  }

  private void take(Version version) {
    clock.observe(version.acceptedAt());
    for (Version next : inbox.offer(version)) {
      versions.add(next);
      known.put(next.dot(), next);
    }
  }

  /** Takes in all that another replica has. */
  public void join(Replica other) {
    other.since(inbox.state().context()).forEach(this::receive);
  }

  /** The versions that somebody with this context lacks, each after those that it builds on. */
  public List<Version> since(VersionVector context) {
    return versions.stream().filter(version -> !context.contains(version.dot())).toList();
  }

  /** What has been seen here; for {@link #since} of another replica. */
  public VersionVector context() {
    return inbox.state().context();
  }

  /** What readers see, and every conflict with what became of it. */
  public View view() {
    return Deriver.derive(key, inbox.state(), policy);
  }

  /** The document; absent where there is none. */
  public Json read() {
    return view().data();
  }

  /** A sentence for every conflict: what competed, which rule decided, and why. */
  public List<String> explain() {
    return view().resolutions().stream().map(Resolution::explanation).toList();
  }
}
