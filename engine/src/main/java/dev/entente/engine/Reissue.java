// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.CausalContext;
import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.crdt.Ancestor;
import dev.entente.core.crdt.Register;
import dev.entente.core.json.Json;
import dev.entente.core.json.JsonObject;
import dev.entente.core.record.CellId;
import dev.entente.core.record.Change;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Origin;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Unit;
import dev.entente.core.record.Version;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Ends a {@link Mending}: lets in what waits, and writes again, under numbers of this node, what
 * lost its number. Its author had seen what they had seen: contexts and ancestors that name what is
 * written again name its new number. Used by the sequencer's thread only.
 */
final class Reissue {
  /** Who gives out the ids of what is written again and bore none. */
  private static final Fingerprint SENDER =
      Fingerprint.of(Hashes.of("mended".getBytes(StandardCharsets.UTF_8)));

  private static final Comparator<Version> CAUSES_FIRST =
      Comparator.comparing(Version::acceptedAt).thenComparing(Version::dot);

  private final MendingList list;
  private final Incarnations self;
  private final Receiver receiver;
  private final History history;
  private final VersionWriter writer;
  private final Supplier<AccessKeys> access;

  Reissue(
      MendingList list,
      Incarnations self,
      Receiver receiver,
      History history,
      VersionWriter writer,
      Supplier<AccessKeys> access) {
    this.list = list;
    this.self = self;
    this.receiver = receiver;
    this.history = history;
    this.writer = writer;
    this.access = access;
  }

  /**
   * A version as it is written again: as one request to every node that has to do it. One that was
   * made for a request with an id stays that.
   */
  static Version named(Version version, byte[] bytes) {
    if (version.origin().isPresent() && version.eventId().isPresent()) {
      return version;
    }
    byte[] hash = Hashes.of(bytes);
    return version.toBuilder()
        .eventId(Optional.of("mended " + version.dot() + " " + Hashes.hex(bytes).substring(0, 16)))
        .origin(
            Optional.of(
                new Origin(
                    version.origin().map(Origin::sender).orElse(SENDER), Fingerprint.of(hash))))
        .build();
  }

  /**
   * Goes on as far as it can now.
   *
   * @return whether more could be done at once than one job does
   */
  boolean proceed(Transaction transaction, long nowMillis) {
    if (!list.isPending()) {
      return false;
    }
    List<MendingList.Winner> winners =
        list.winners(transaction).stream()
            .filter(winner -> receiver.accepts(winner.version(), winner.bytes()))
            .toList();
    List<Version> again = list.again(transaction);
    Set<RecordKey> records = new TreeSet<>();
    winners.forEach(winner -> records.add(winner.version().key()));
    again.forEach(version -> records.add(version.key()));
    receiver.tryAgain(transaction, records, nowMillis);
    if (receiver.hasMore()) {
      return true;
    }
    for (MendingList.Winner winner : winners) {
      if (!isHere(transaction, winner.version())) {
        Version named = named(winner.version(), winner.bytes());
        if (Answers.sameRequest(transaction, named).isEmpty()) {
          return false; // It builds on what has not come yet.
        }
        // Who held it has given the number up since, and written it again.
        receiver.release(transaction, winner.version());
      }
    }
    Run run = new Run(transaction);
    List<Version> left = new ArrayList<>(list.lost(transaction));
    List<Version> joined = new ArrayList<>();
    for (Version version : again) {
      if (isHere(transaction, version)) {
        joined.add(version);
      } else {
        receiver.release(transaction, version);
        left.add(version);
      }
    }
    left.sort(CAUSES_FIRST);
    left.forEach(version ->
        run.gone.computeIfAbsent(version.key(), _ -> new TreeSet<>()).add(version.dot()));
    left.forEach(run::write);
    winners.forEach(winner -> run.revive(winner, joined));
    list.end(transaction);
    return false;
  }

  /** Has a version wait no longer whose content has been written again. */
  void forget(Transaction transaction, Version version, byte[] bytes) {
    receiver.release(transaction, version);
    transaction.audit(
        transaction.clock().next(),
        version.key().tenant(),
        Proceedings.POLICY,
        Mending.ACTION,
        version.key().toString(),
        JsonObject.of(
            Map.of(
                "forgotten", Json.of(version.dot().toString()),
                "hash", Json.of(Hashes.hex(bytes)),
                "why", Json.of("it cannot join, and was written again under another number"))));
  }

  private boolean isHere(Transaction transaction, Version version) {
    byte[] known = receiver.known(transaction, version.key().tenant(), version.dot());
    return known != null && Arrays.equals(known, VersionCodec.toBytes(version));
  }

  /** One go. */
  private final class Run {
    private final Transaction transaction;

    /** By record, the dots whose versions are not here any more as their authors wrote them. */
    private final Map<RecordKey, NavigableSet<Dot>> gone = new TreeMap<>();

    /** By record, under which dot such a version is found now. */
    private final Map<RecordKey, Map<Dot, Dot>> moved = new TreeMap<>();

    private final Set<Dot> written = new TreeSet<>();

    Run(Transaction transaction) {
      this.transaction = transaction;
    }

    void write(Version lost) {
      byte[] bytes = VersionCodec.toBytes(lost);
      Past past = past(lost.key());
      Map<Dot, Dot> map = moved.computeIfAbsent(lost.key(), _ -> new TreeMap<>());
      Version named =
          named(lost, bytes).toBuilder()
              .context(context(lost, past, map))
              .changes(lost.changes().stream().map(change -> changed(change, map)).toList())
              .build();
      write(named, past, lost, bytes).ifPresent(dot -> map.put(lost.dot(), dot));
    }

    /**
     * Writes a version again, unless another node has done so.
     *
     * @param was as its author wrote it
     * @return where it is found now
     */
    private Optional<Dot> write(Version named, Past past, Version was, byte[] bytes) {
      Optional<Answers.Accept> known = Answers.sameRequest(transaction, named);
      if (known.isPresent()) {
        return known.map(Answers.Accept::dot);
      }
      for (Version other : past.versions()) {
        if (other.eventId().equals(named.eventId()) && other.origin().equals(named.origin())) {
          return Optional.of(other.dot());
        }
      }
      RecordKey key = named.key();
      if (!isVouchedFor(was)) {
        VersionWriter.auditViolation(
            transaction,
            key,
            named.author(),
            CausalViolation.UNPROVEN_ACCESS,
            named.dot()
                + " is not written again: no administrator whom this node trusts has signed it, and"
                + " this node would sign it",
            bytes);
        return Optional.empty();
      }
      Snapshot before = transaction.snapshot(key);
      Dot dot = transaction.nextDot();
      Version again = renumbered(named, dot, before);
      RecordState state;
      try {
        if (!(before.state().apply(again, () -> past)
            instanceof RecordState.Applied.Joined(RecordState joined))) {
          throw new IllegalStateException("it does not follow its record as it is now");
        }
        state = joined;
      } catch (ArithmeticException
          | IllegalArgumentException
          | IllegalStateException
          | IndexOutOfBoundsException
          | ClassCastException e) {
        transaction.takeBackDot();
        VersionWriter.auditViolation(
            transaction,
            key,
            named.author(),
            CausalViolation.CANNOT_JOIN,
            named.dot() + " could not be written again: " + e.getMessage(),
            bytes);
        return Optional.empty();
      }
      writer.write(
          transaction,
          writer.mended(again, before, state),
          again.acceptedAt(),
          Map.of("was", Json.of(named.dot().toString())));
      var _ = Answers.keep(transaction, again);
      written.add(dot);
      return Optional.of(dot);
    }

    /** Whether this node wrote what it would sign now, or somebody signed it who may do so. */
    private boolean isVouchedFor(Version was) {
      return !Registry.isSigned(was) || self.wrote(was.dot()) || access.get().isProven(was);
    }

    private Version renumbered(Version named, Dot dot, Snapshot before) {
      Version again =
          Version.builder(dot, named.key())
              .previous(before.state().context().get(dot.node()))
              .context(named.context())
              .acceptedAt(transaction.clock().next())
              .time(named.time())
              .author(named.author())
              .device(named.device())
              .eventId(named.eventId())
              .note(named.note())
              .changes(named.changes())
              .clockErrorMillis(named.clockErrorMillis())
              .origin(named.origin())
              .build();
      return Registry.isSigned(again) ? access.get().prove(again) : again;
    }

    private Past past(RecordKey key) {
      return history.past(key, history.last(transaction.snapshot(key), transaction), transaction);
    }

    /** What an author had seen, by the dots under which it is found now. */
    private CausalContext context(Version lost, Past past, Map<Dot, Dot> map) {
      CausalContext seen = lost.context();
      Map<NodeId, Long> upTo = new TreeMap<>();
      past.base()
          .context()
          .entries()
          .forEach((node, last) -> upTo.put(node, Math.min(last, seen.vector().get(node))));
      Set<Dot> absent = gone.getOrDefault(lost.key(), new TreeSet<>());
      Set<NodeId> divided = new TreeSet<>();
      NavigableSet<Dot> beyond = new TreeSet<>();
      for (Version version : past.versions()) {
        Dot dot = version.dot();
        boolean wasSeen = seen.contains(dot) && !absent.contains(dot);
        if (!wasSeen) {
          divided.add(dot.node());
        } else if (divided.contains(dot.node())) {
          beyond.add(dot);
        } else {
          upTo.put(dot.node(), dot.number());
        }
      }
      map.forEach((was, now) -> {
        if (seen.contains(was)) {
          beyond.add(now);
        }
      });
      upTo.values().removeIf(number -> number == 0);
      return new CausalContext(VersionVector.of(upTo), beyond);
    }

    private static Change changed(Change change, Map<Dot, Dot> map) {
      return switch (change) {
        case Change.Assign assign ->
            new Change.Assign(
                assign.unit(),
                assign.value(),
                assign.ancestors().stream().map(ancestor -> renamed(ancestor, map)).toList(),
                assign.sumHistory().map(sums -> sums.renamed(dot -> map.getOrDefault(dot, dot))));
        case Change.EditSequence edit ->
            new Change.EditSequence(
                edit.path(),
                edit.splices(),
                edit.seed()
                    .map(seed ->
                        new Change.EditSequence.Seed(
                            map.getOrDefault(seed.dot(), seed.dot()), seed.value())));
        case Change.Clear _,
            Change.Remove _,
            Change.Restore _,
            Change.Count _,
            Change.Give _,
            Change.EditSet _ ->
            change;
      };
    }

    private static Ancestor renamed(Ancestor ancestor, Map<Dot, Dot> map) {
      return new Ancestor(
          ancestor.dots().stream().map(dot -> map.getOrDefault(dot, dot)).distinct().toList(),
          ancestor.author(),
          ancestor.value());
    }

    /**
     * What now stands under a number was covered by versions whose authors had read something else
     * under it. They cannot have meant to replace it, so it competes with them.
     */
    void revive(MendingList.Winner winner, List<Version> joined) {
      Version version = winner.version();
      Set<Dot> unseeing = new TreeSet<>(written);
      for (Version other : joined) {
        if (other.key().equals(version.key())
            && other.context().contains(version.dot())
            && !winner.holders().contains(other.dot().node().name())) {
          unseeing.add(other.dot());
        }
      }
      if (written.containsAll(unseeing)) {
        return;
      }
      Past past = past(version.key());
      RecordState without = past.replay(each -> !unseeing.contains(each.dot()));
      RecordState with = transaction.snapshot(version.key()).state();
      List<Change> covered = new ArrayList<>();
      for (Change change : version.changes()) {
        if (change instanceof Change.Assign assign
            && holds(without, assign.unit(), version.dot())
            && !holds(with, assign.unit(), version.dot())) {
          covered.add(assign);
        }
      }
      if (!covered.isEmpty()) {
        Version again =
            version.toBuilder()
                .origin(Optional.empty())
                .eventId(Optional.empty())
                .changes(covered)
                .build();
        byte[] bytes = VersionCodec.toBytes(again);
        Optional<Dot> _ = write(named(again, bytes), past, version, bytes);
      }
    }

    private static boolean holds(RecordState state, Unit unit, Dot dot) {
      return state.cells().get(CellId.register(unit)) instanceof Register register
          && register.assignments().containsKey(dot);
    }
  }
}
