// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridClock;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.CausalJson;
import dev.entente.core.codec.VersionJson;
import dev.entente.core.edit.Authoring;
import dev.entente.core.edit.Edit;
import dev.entente.core.edit.EditProblem;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonArray;
import dev.entente.core.json.JsonObject;
import dev.entente.core.json.Members;
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
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
   * @throws IllegalArgumentException where it is a version of another record
   * @throws IllegalStateException where more versions wait for their predecessors than is sensible,
   *     or two replicas have one name; nothing has changed
   */
  public void receive(Version version) {
    check(version);
    take(version);
  }

  private void check(Version version) {
    if (!version.key().equals(key)) {
      throw new IllegalArgumentException("a version of " + version.key() + ", not of " + key);
    }
    Version same = known.getOrDefault(version.dot(), version);
    boolean own = version.dot().node().equals(self) && !known.containsKey(version.dot());
    if (!same.equals(version) || (own && written)) {
      throw new IllegalStateException(
          "there are two replicas named "
              + version.dot().node()
              + "; give each a name of its own, since joining them would lose changes");
    }
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

  /** All versions as JSON; equal sets of versions are equal. See {@code docs/formats}. */
  public Json toJson() {
    return toJson(VersionVector.EMPTY);
  }

  /** The versions that somebody lacks who has seen {@code since}; only they can merge it. */
  public Json toJson(VersionVector since) {
    List<Json> lacking = new ArrayList<>();
    inOrder(since).forEach(version -> lacking.add(VersionJson.write(version)));
    return JsonObject.of(
        Map.of(
            "format", Json.of(1),
            "kind", Json.of("record"),
            "since", CausalJson.of(since),
            "versions", new JsonArray(lacking)));
  }

  /** All versions as bytes; equal sets of versions have equal bytes, in every release. */
  public byte[] toBytes() {
    return toBytes(VersionVector.EMPTY);
  }

  /** The versions that somebody lacks who has seen {@code since}, as bytes. */
  public byte[] toBytes(VersionVector since) {
    return BinaryForm.toBytes(toJson(since));
  }

  /** What {@link #since} returns, in an order that does not depend on that of arrival. */
  private List<Version> inOrder(VersionVector since) {
    TreeMap<Dot, Version> left = new TreeMap<>();
    since(since).forEach(version -> left.put(version.dot(), version));
    List<Version> ordered = new ArrayList<>(left.size());
    VersionVector before = since;
    while (!left.isEmpty()) {
      for (Iterator<Version> each = left.values().iterator(); each.hasNext(); ) {
        Version version = each.next();
        if (before.get(version.dot().node()) >= version.previous()
            && version.context().isWithin(before)) {
          ordered.add(version);
          before = before.with(version.dot());
          each.remove();
        }
      }
    }
    return ordered;
  }

  /**
   * Merges what {@link #toJson} of a replica of the same record returned.
   *
   * @throws IllegalArgumentException where it is no such state; nothing has changed
   * @throws IllegalStateException where it builds on what has not been seen here, or two replicas
   *     have one name; nothing has changed
   */
  public void mergeJson(Json state) {
    Members members = Members.of(state);
    if (members.number("format") != 1) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    if (!members.text("kind").equals("record")) {
      throw new IllegalArgumentException("not the state of a record");
    }
    VersionVector building = CausalJson.vector(members.value("since"));
    List<Version> received = members.items("versions").stream().map(VersionJson::read).toList();
    members.end();
    VersionVector after = building;
    for (Version version : received) {
      check(version);
      if (after.get(version.dot().node()) < version.previous()
          || !version.context().isWithin(after)) {
        throw new IllegalArgumentException(version.dot() + " stands before what it builds on");
      }
      after = after.with(version.dot());
    }
    if (!context().dominates(building)) {
      throw new IllegalStateException(
          "it builds on " + building + ", and seen was " + context() + "; ask for more");
    }
    received.forEach(this::take);
  }

  /**
   * Merges what {@link #toBytes} of a replica of the same record returned.
   *
   * @throws IllegalArgumentException as {@link #mergeJson}
   * @throws IllegalStateException as {@link #mergeJson}
   */
  public void mergeBytes(byte[] state) {
    mergeJson(BinaryForm.fromBytes(state));
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
