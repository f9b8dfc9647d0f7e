// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Past;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Version;
import dev.entente.core.resolve.Resolution;
import dev.entente.engine.Divergence.Fate;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Store;
import dev.entente.engine.store.Table;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;

/** Works out what two nodes wrote without each other, before they come together and after. */
final class Divergences {
  private final Store store;
  private final Policies policies;
  private final History history;
  private final Function<RecordKey, Snapshot> records;

  /** The dots that one side had and the other lacked, by record. */
  private static final class Side {
    private final NavigableMap<RecordKey, List<Dot>> dots = new TreeMap<>();
    private long versions;

    void add(Version version) {
      dots.computeIfAbsent(version.key(), _ -> new ArrayList<>()).add(version.dot());
      versions++;
    }
  }

  Divergences(
      Store store, Policies policies, History history, Function<RecordKey, Snapshot> records) {
    this.store = store;
    this.policies = policies;
    this.history = history;
    this.records = records;
  }

  /** What has become of it, once this node has all that both had; see {@link Node#diverged}. */
  Divergence after(long since, VersionVector mine, VersionVector theirs) {
    Side ours = new Side();
    Side others = new Side();
    store.scan(
        Table.LOG,
        new byte[0],
        (key, bytes) -> {
          if (Keys.lastNumber(key) > since) {
            Dot dot = VersionCodec.dotOf(bytes);
            boolean atMine = mine.contains(dot);
            boolean atTheirs = theirs.contains(dot);
            if (atMine != atTheirs) {
              (atMine ? ours : others).add(VersionCodec.fromBytes(bytes));
            }
          }
          return true;
        });
    return of(ours, others, records, true);
  }

  /** What would become of it, if what the other has came in; see {@link Node#wouldDiverge}. */
  Divergence before(long since, List<byte[]> versions, VersionVector theirs, boolean complete) {
    Side ours = new Side();
    store.scan(
        Table.LOG,
        new byte[0],
        (key, bytes) -> {
          if (Keys.lastNumber(key) > since && !theirs.contains(VersionCodec.dotOf(bytes))) {
            ours.add(VersionCodec.fromBytes(bytes));
          }
          return true;
        });
    Side others = new Side();
    Map<RecordKey, List<Version>> coming = new TreeMap<>();
    for (byte[] bytes : versions) {
      Version version = VersionCodec.fromBytes(bytes);
      others.add(version);
      coming.computeIfAbsent(version.key(), _ -> new ArrayList<>()).add(version);
    }
    return of(ours, others, key -> joined(key, coming.getOrDefault(key, List.of())), complete);
  }

  /** A record as it would be. */
  private Snapshot joined(RecordKey key, List<Version> coming) {
    Snapshot now = records.apply(key);
    RecordState state = now.state();
    Past[] past = {history.past(key, history.last(now, null), null)};
    for (Version version : coming) {
      if (past[0].apply(state, version) instanceof RecordState.Applied.Joined(RecordState next)) {
        state = next;
        past[0] = past[0].with(version);
      }
    }
    return Records.derived(key, state, policies.inForce(key.tenant(), key.type()));
  }

  private static Divergence of(
      Side ours, Side others, Function<RecordKey, Snapshot> outcome, boolean complete) {
    Map<Fate, Long> both = new EnumMap<>(Fate.class);
    List<Divergence.Entry> entries = new ArrayList<>();
    long onlyTheirs = 0;
    for (Map.Entry<RecordKey, List<Dot>> each : others.dots.entrySet()) {
      List<Dot> mine = ours.dots.get(each.getKey());
      if (mine == null) {
        onlyTheirs++;
        continue;
      }
      List<Dot> dots = new ArrayList<>(mine);
      dots.addAll(each.getValue());
      Divergence.Entry entry = entry(each.getKey(), dots, outcome.apply(each.getKey()));
      both.merge(entry.fate(), 1L, Long::sum);
      entries.add(entry);
      if (entries.size() > 2 * Divergence.LISTED_MAX) {
        keepGravest(entries);
      }
    }
    keepGravest(entries);
    long shared = both.values().stream().mapToLong(Long::longValue).sum();
    return new Divergence(
        ours.versions,
        others.versions,
        ours.dots.size() - shared,
        onlyTheirs,
        both,
        entries,
        complete);
  }

  private static void keepGravest(List<Divergence.Entry> entries) {
    entries.sort(Comparator.comparing(Divergence.Entry::fate).thenComparing(Divergence.Entry::key));
    if (entries.size() > Divergence.LISTED_MAX) {
      entries.subList(Divergence.LISTED_MAX, entries.size()).clear();
    }
  }

  private static Divergence.Entry entry(RecordKey key, List<Dot> dots, Snapshot snapshot) {
    Fate fate = Fate.MERGED;
    List<String> explanations = new ArrayList<>();
    for (Resolution resolution : snapshot.view().resolutions()) {
      boolean concerned =
          resolution.conflict().competing().stream().anyMatch(a -> dots.contains(a.dot()));
      if (concerned) {
        Fate here = fate(resolution);
        fate = here.compareTo(fate) < 0 ? here : fate;
        explanations.add(resolution.conflict().label() + ": " + resolution.explanation());
      }
    }
    return new Divergence.Entry(key, fate, explanations);
  }

  private static Fate fate(Resolution resolution) {
    if (resolution.isPending()) {
      return Fate.PENDING;
    }
    return resolution.status() == Resolution.Status.SIBLINGS ? Fate.SIBLINGS : Fate.RESOLVED;
  }
}
