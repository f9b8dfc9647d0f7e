// SPDX-License-Identifier: Apache-2.0
package dev.entente.simulation;

import dev.entente.cluster.group.AgreedLog;
import dev.entente.cluster.group.Consensus;
import dev.entente.cluster.group.NotLeadingException;
import dev.entente.engine.NodeStoppedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Agreement as a real library gives it, at its worst: a leader notices late that it no longer
 * leads, an entry may be agreed on long after its proposer gave up, others apply it later still,
 * and a member that comes back applies again what came since its last snapshot. What was agreed on
 * is never lost and its order never changes.
 */
final class SimulatedConsensus {
  /** How long a leader believes that it leads after it has lost its majority. */
  private static final long BELIEF_MILLIS = 400;

  /** When a proposer gives up. */
  private static final long PATIENCE_MILLIS = 700;

  private static final long APPLY_EVERY_MILLIS = 15;
  private static final int SNAPSHOT_EVERY = 7;

  private final World world;
  private final Random chance;
  private final SimulatedNetwork network;
  private final List<String> voters;
  private final Mutant mutant;
  private final Predicate<String> isUp;

  /** What was agreed on, in order; nobody loses it. */
  private final List<byte[]> log = new ArrayList<>();

  private final Map<String, Kept> kept = new TreeMap<>();
  private String leader = "";
  private long term;
  private long leaderSince;

  /** What a member keeps on its disk. */
  private static final class Kept {
    private byte[] snapshot = new byte[0];
    private int upTo;
    private long number;
  }

  SimulatedConsensus(
      World world,
      SimulatedNetwork network,
      List<String> voters,
      Mutant mutant,
      Predicate<String> isUp) {
    this.world = world;
    this.chance = world.chance();
    this.network = network;
    this.voters = List.copyOf(voters);
    this.mutant = mutant;
    this.isUp = isUp;
    voters.forEach(voter -> kept.put(voter, new Kept()));
  }

  /** The names of those that vote. */
  List<String> voters() {
    return voters;
  }

  private boolean reachesMajority(String voter) {
    int reached = 0;
    for (String other : voters) {
      if (other.equals(voter)
          || (isUp.test(other) && network.isOpen(voter, other) && network.isOpen(other, voter))) {
        reached++;
      }
    }
    return isUp.test(voter) && reached > voters.size() / 2;
  }

  /** Elects another leader where the last one has lost its majority for a while. */
  private void elect() {
    if (!leader.isEmpty() && reachesMajority(leader)) {
      leaderSince = world.nowMillis();
      return;
    }
    if (world.nowMillis() - leaderSince < BELIEF_MILLIS / 2) {
      return;
    }
    for (String voter : voters) {
      if (reachesMajority(voter)) {
        leader = voter;
        term++;
        leaderSince = world.nowMillis();
        if (mutant == Mutant.LOST_AGREEMENT && !log.isEmpty()) {
          log.removeLast();
        }
        world.tell(voter + " leads in term " + term);
        return;
      }
    }
  }

  /** Whether what a member keeps needs versions that its node has not got yet. */
  boolean mustWait(String voter, long known) {
    return kept(voter).number > known;
  }

  /** A member whose directory went back in time votes as one that is new, from the beginning. */
  void forget(String voter) {
    kept.put(voter, new Kept());
  }

  private Kept kept(String voter) {
    Kept found = kept.get(voter);
    if (found == null) {
      throw new IllegalStateException("no voter " + voter);
    }
    return found;
  }

  /** Begins, on what the member has kept. */
  Member start(String voter, AgreedLog applied, LongSupplier number) {
    return new Member(voter, applied, number);
  }

  /** A member while its process runs. */
  final class Member implements Consensus {
    private final String name;
    private final AgreedLog applied;
    private final LongSupplier number;
    private int index;
    private long lastLed = Long.MIN_VALUE / 2;
    private final Map<Integer, CompletableFuture<byte[]>> waiting = new TreeMap<>();
    private boolean closed;

    Member(String name, AgreedLog applied, LongSupplier number) {
      this.name = name;
      this.applied = applied;
      this.number = number;
      Kept mine = kept(name);
      if (mine.snapshot.length > 0) {
        applied.restore(mine.snapshot);
      }
      index = mine.upTo;
    }

    /** Applies what is there to be applied, where the leader can be heard. */
    void look() {
      elect();
      if (leader.equals(name) && reachesMajority(name)) {
        lastLed = world.nowMillis();
      }
      if (!leader.isEmpty() && (leader.equals(name) || network.isOpen(leader, name))) {
        int upTo = chance.nextInt(3) == 0 ? log.size() : Math.min(log.size(), index + 1);
        applyTo(upTo);
      }
    }

    private void applyTo(int upTo) {
      while (index < upTo && !closed) {
        byte[] answer;
        try {
          answer = applied.apply(log.get(index));
        } catch (NodeStoppedException | CompletionException e) {
          closed = true;
          return;
        }
        index++;
        if (index % SNAPSHOT_EVERY == 0) {
          Kept mine = kept(name);
          mine.snapshot = applied.snapshot();
          mine.upTo = index;
          mine.number = number.getAsLong();
        }
        CompletableFuture<byte[]> asked = waiting.remove(index - 1);
        if (asked != null) {
          asked.complete(answer);
        }
      }
    }

    private boolean believes() {
      return !closed && world.nowMillis() - lastLed < BELIEF_MILLIS;
    }

    @Override
    public CompletableFuture<byte[]> propose(byte[] entry) {
      if (!believes()) {
        return CompletableFuture.failedFuture(new NotLeadingException(Optional.empty()));
      }
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      world.in(1 + chance.nextInt(30), () -> commit(entry, answer, 0));
      world.in(
          PATIENCE_MILLIS,
          () -> answer.completeExceptionally(new IllegalStateException("no answer in time")));
      if (mutant == Mutant.EARLY_AGREEMENT && chance.nextInt(4) == 0) {
        answer.complete(new byte[] {1});
      }
      return answer;
    }

    /** Agrees where a majority can be reached; an entry that could not be is tried again, late. */
    private void commit(byte[] entry, CompletableFuture<byte[]> answer, int tries) {
      if (!reachesMajority(name) || closed) {
        if (tries < 3 && !closed) {
          world.in(1 + chance.nextInt(600), () -> commit(entry, answer, tries + 1));
        }
        return;
      }
      log.add(entry);
      int mine = log.size() - 1;
      waiting.put(mine, answer);
      world.in(
          1 + chance.nextInt(10),
          () -> {
            if (isUp.test(name)) {
              applyTo(Math.min(log.size(), mine + 1));
            }
          });
    }

    @Override
    public CompletableFuture<Void> barrier() {
      int wanted = log.size();
      CompletableFuture<Void> reached = new CompletableFuture<>();
      if (mutant == Mutant.STALE_READ) {
        reached.complete(null);
        return reached;
      }
      if (leader.isEmpty()
          || !reachesMajority(leader)
          || !(leader.equals(name) || network.isOpen(leader, name))) {
        return CompletableFuture.failedFuture(new NotLeadingException(Optional.empty()));
      }
      await(wanted, reached, world.nowMillis() + PATIENCE_MILLIS);
      return reached;
    }

    private void await(int wanted, CompletableFuture<Void> reached, long untilMillis) {
      if (index >= wanted && !closed) {
        reached.complete(null);
      } else if (closed || world.nowMillis() > untilMillis) {
        reached.completeExceptionally(new IllegalStateException("not in time"));
      } else {
        world.in(APPLY_EVERY_MILLIS, () -> await(wanted, reached, untilMillis));
      }
    }

    @Override
    public Standing standing() {
      return new Standing(
          leader.isEmpty() ? Optional.empty() : Optional.of(leader), believes(), term, voters);
    }

    @Override
    public void close() {
      closed = true;
    }
  }
}
