// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Locks with leases: who holds what until when, and who waits, first come first served. A pure
 * state machine: the same commands at the same times give the same state on every node. Not
 * thread-safe.
 *
 * <p>A lease can end without its holder noticing. Therefore every grant has a <i>fencing token</i>,
 * larger than any before it, of any lock; whoever is written to under a lock refuses tokens smaller
 * than the largest it has seen (Kleppmann, <i>How to do distributed locking</i>, 2016; Burrows,
 * <i>The Chubby lock service</i>, 2006). Time comes with the commands and never runs backwards.
 *
 * <p>An owner that waits holds on to what it has, so owners may wait for each other in a circle. A
 * request that would close a circle is refused, and the answer names all of it: the one who asks
 * last is the victim, the others get on.
 */
public final class Locks {
  /** Locks at most that are held or waited for; more are refused. */
  static final int LOCKS_MAX = 100_000;

  /** Who may wait for one lock. */
  static final int WAITING_MAX = 1_000;

  /** The longest lease. */
  public static final long LEASE_MILLIS_MAX = 3_600_000;

  /** The longest that anybody waits in line. */
  public static final long WAIT_MILLIS_MAX = 60_000;

  /** In place of a tenant: the cluster's own locks, such as the leases of primaries. */
  public static final String CLUSTER = "";

  private static final int FORMAT = 1;

  /** A lock's name: of a tenant. */
  public record Name(String tenant, String lock) implements Comparable<Name> {
    @Override
    public int compareTo(Name other) {
      int byTenant = tenant.compareTo(other.tenant);
      return byTenant != 0 ? byTenant : lock.compareTo(other.lock);
    }

    @Override
    public String toString() {
      return tenant + "/" + lock;
    }
  }

  /** That something is done under a lock, as the holder of this token. */
  public record Fence(Name name, long token) {}

  /** Who has a lock, until when by the time of the commands. */
  public record Grant(String owner, long token, long leaseMillis, long untilMillis) {}

  /** Who waits for a lock, and until when they care. */
  public record Waiting(String owner, long leaseMillis, long untilMillis) {}

  /** A lock as it is now. */
  public record Lock(Name name, Optional<Grant> holder, List<Waiting> queue) {
    public Lock {
      queue = List.copyOf(queue);
    }
  }

  /** What is asked for. */
  public sealed interface Command {
    /**
     * Asks for a lock; waits in line so long. Asking again keeps the place and renews the wait, or
     * the lease of who holds it already.
     */
    record Acquire(Name name, String owner, long leaseMillis, long waitMillis) implements Command {}

    /** Goes on holding for a whole lease from now. */
    record Renew(Name name, long token) implements Command {}

    /** Gives back, or stops to wait. */
    record Release(Name name, String owner) implements Command {}

    /** Only lets time pass. */
    record Tick() implements Command {}
  }

  /** What is answered. */
  public sealed interface Answer {
    /** The lock is held under this token. */
    record Granted(Grant grant) implements Answer {}

    /** It is held by another; {@code ahead} come first. */
    record Queued(int ahead, Grant holder) implements Answer {}

    /** Given back, or nothing was there to give back. */
    record Released(boolean held) implements Answer {}

    /** Not held under this token any more, or never. */
    record Lost() implements Answer {}

    /** Waiting would close this circle of owners, each waiting for the next. */
    record Deadlock(List<String> circle) implements Answer {
      public Deadlock {
        circle = List.copyOf(circle);
      }
    }

    /** Too many locks or waiters. */
    record Full(String why) implements Answer {}

    /** Time has passed. */
    record Ticked() implements Answer {}
  }

  private static final class Entry {
    @Nullable Grant holder;
    final Deque<Waiting> queue = new ArrayDeque<>();
  }

  private final Map<Name, Entry> locks = new TreeMap<>();
  private long lastToken;
  private long nowMillis;

  /** When the first lease or wait ends, early rather than late. */
  private long nextEndMillis;

  /** Does what a command says at a time; what is over by then ends first. */
  public Answer apply(Command command, long atMillis) {
    nowMillis = Math.max(nowMillis, atMillis);
    expire();
    return switch (command) {
      case Command.Acquire acquire -> acquire(acquire);
      case Command.Renew(Name name, long token) -> renew(name, token);
      case Command.Release(Name name, String owner) -> release(name, owner);
      case Command.Tick() -> new Answer.Ticked();
    };
  }

  private void expire() {
    if (nowMillis < nextEndMillis) {
      return;
    }
    nextEndMillis = Long.MAX_VALUE;
    for (Iterator<Map.Entry<Name, Entry>> each = locks.entrySet().iterator(); each.hasNext(); ) {
      Entry entry = each.next().getValue();
      entry.queue.removeIf(waiting -> waiting.untilMillis() <= nowMillis);
      if (entry.holder != null && entry.holder.untilMillis() <= nowMillis) {
        grantNext(entry);
      }
      if (entry.holder == null) {
        each.remove();
      } else {
        endsAt(entry.holder.untilMillis());
        entry.queue.forEach(waiting -> endsAt(waiting.untilMillis()));
      }
    }
  }

  private void endsAt(long untilMillis) {
    nextEndMillis = Math.min(nextEndMillis, untilMillis);
  }

  private void grantNext(Entry entry) {
    Waiting next = entry.queue.pollFirst();
    entry.holder = next == null ? null : grant(next.owner(), next.leaseMillis());
  }

  private Grant grant(String owner, long leaseMillis) {
    endsAt(nowMillis + leaseMillis);
    return new Grant(owner, ++lastToken, leaseMillis, nowMillis + leaseMillis);
  }

  private Answer acquire(Command.Acquire asked) {
    Entry entry = locks.get(asked.name());
    if (entry == null) {
      if (locks.size() >= LOCKS_MAX) {
        return new Answer.Full("there are " + LOCKS_MAX + " locks already");
      }
      entry = new Entry();
      entry.holder = grant(asked.owner(), asked.leaseMillis());
      locks.put(asked.name(), entry);
      return new Answer.Granted(entry.holder);
    }
    Grant holder = holder(entry);
    if (holder.owner().equals(asked.owner())) {
      return renew(asked.name(), holder.token());
    }
    int place = place(entry, asked.owner());
    if (asked.waitMillis() <= 0) {
      return new Answer.Queued(entry.queue.size(), holder);
    }
    if (place < 0) {
      List<String> circle = circle(asked.owner(), asked.name());
      if (!circle.isEmpty()) {
        return new Answer.Deadlock(circle);
      }
      if (entry.queue.size() >= WAITING_MAX) {
        return new Answer.Full(WAITING_MAX + " wait for this lock already");
      }
      place = entry.queue.size();
    }
    Waiting renewed =
        new Waiting(asked.owner(), asked.leaseMillis(), nowMillis + asked.waitMillis());
    endsAt(renewed.untilMillis());
    List<Waiting> line = new ArrayList<>(entry.queue);
    if (place < line.size()) {
      line.set(place, renewed);
    } else {
      line.add(renewed);
    }
    entry.queue.clear();
    entry.queue.addAll(line);
    return new Answer.Queued(place, holder);
  }

  private static Grant holder(Entry entry) {
    Grant holder = entry.holder;
    if (holder == null) {
      throw new IllegalStateException("a lock that nobody holds is not kept");
    }
    return holder;
  }

  private static int place(Entry entry, String owner) {
    int place = 0;
    for (Waiting waiting : entry.queue) {
      if (waiting.owner().equals(owner)) {
        return place;
      }
      place++;
    }
    return -1;
  }

  /** The owners that would wait for each other if one of them waited for a lock as well. */
  private List<String> circle(String owner, Name wanted) {
    Map<String, Set<Name>> waits = new TreeMap<>();
    locks.forEach((name, entry) ->
        entry.queue.forEach(waiting ->
            waits.computeIfAbsent(waiting.owner(), _ -> new LinkedHashSet<>()).add(name)));
    List<String> path = new ArrayList<>(List.of(owner));
    return reaches(owner, wanted, waits, path, new HashSet<>()) ? path : List.of();
  }

  /** Whether waiting for a lock leads back to an owner: to its holder or to those ahead in line. */
  private boolean reaches(
      String owner,
      Name wanted,
      Map<String, Set<Name>> waits,
      List<String> path,
      Set<String> seen) {
    Entry entry = locks.get(wanted);
    if (entry == null) {
      return false;
    }
    List<String> ahead = new ArrayList<>(List.of(holder(entry).owner()));
    for (Waiting waiting : entry.queue) {
      if (waiting.owner().equals(path.getLast())) {
        break;
      }
      ahead.add(waiting.owner());
    }
    for (String next : ahead) {
      if (next.equals(owner)) {
        return true;
      }
      if (seen.add(next)) {
        path.add(next);
        for (Name further : waits.getOrDefault(next, Set.of())) {
          if (reaches(owner, further, waits, path, seen)) {
            return true;
          }
        }
        path.removeLast();
      }
    }
    return false;
  }

  private Answer renew(Name name, long token) {
    Entry entry = locks.get(name);
    if (entry == null || holder(entry).token() != token) {
      return new Answer.Lost();
    }
    Grant held = holder(entry);
    entry.holder =
        new Grant(held.owner(), token, held.leaseMillis(), nowMillis + held.leaseMillis());
    return new Answer.Granted(entry.holder);
  }

  private Answer release(Name name, String owner) {
    Entry entry = locks.get(name);
    if (entry == null) {
      return new Answer.Released(false);
    }
    boolean held = holder(entry).owner().equals(owner);
    if (held) {
      grantNext(entry);
      if (entry.holder == null) {
        locks.remove(name);
      }
    } else {
      entry.queue.removeIf(waiting -> waiting.owner().equals(owner));
    }
    return new Answer.Released(held);
  }

  /** Who holds a lock, by the time of the last command. */
  public Optional<Grant> holder(Name name) {
    return Optional.ofNullable(locks.get(name)).map(Locks::holder);
  }

  /** Whether a lock is held under this very token. */
  public boolean isHeld(Fence fence) {
    return holder(fence.name()).filter(grant -> grant.token() == fence.token()).isPresent();
  }

  /** Whether anybody holds a lock, by the time of the last command. */
  public boolean isAnyHeld() {
    return !locks.isEmpty();
  }

  /** The time of the last command. */
  public long timeMillis() {
    return nowMillis;
  }

  /** Whether something may end by a time, which a {@link Command.Tick} then finds out. */
  public boolean isDue(long atMillis) {
    return nextEndMillis <= atMillis;
  }

  /** The locks of a tenant that are held, by name. */
  public List<Lock> of(String tenant) {
    List<Lock> found = new ArrayList<>();
    locks.forEach((name, entry) -> {
      if (name.tenant().equals(tenant)) {
        found.add(new Lock(name, Optional.of(holder(entry)), List.copyOf(entry.queue)));
      }
    });
    return found;
  }

  /** All of it, for a node that comes later. */
  public byte[] toBytes() {
    ByteWriter out = new ByteWriter().u8(FORMAT).u64(nowMillis).u64(lastToken).varint(locks.size());
    locks.forEach((name, entry) -> {
      Grant holder = holder(entry);
      out.text(name.tenant()).text(name.lock()).text(holder.owner());
      out.u64(holder.token()).varint(holder.leaseMillis()).u64(holder.untilMillis());
      out.varint(entry.queue.size());
      for (Waiting waiting : entry.queue) {
        out.text(waiting.owner()).varint(waiting.leaseMillis()).u64(waiting.untilMillis());
      }
    });
    return out.toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DamagedException where the bytes are none of that
   */
  public static Locks fromBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new DamagedException("locks of the unknown format " + format);
    }
    Locks locks = new Locks();
    locks.nowMillis = in.u64();
    locks.lastToken = in.u64();
    for (int left = in.count(); left > 0; left--) {
      Name name = new Name(in.text(), in.text());
      Entry entry = new Entry();
      String owner = in.text();
      long token = in.u64();
      entry.holder = new Grant(owner, token, in.varint(), in.u64());
      for (int waiting = in.count(); waiting > 0; waiting--) {
        entry.queue.add(new Waiting(in.text(), in.varint(), in.u64()));
      }
      locks.locks.put(name, entry);
    }
    in.expectEnd();
    return locks;
  }
}
