// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.engine.Hashes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whose entries this member applies, what it has set aside, and whether it applies any more.
 * Changed by the thread that applies entries, read by any.
 */
final class MemberStanding {
  private static final Logger LOG = System.getLogger(MemberStanding.class.getName());

  private final AtomicLong quarantined = new AtomicLong();
  private volatile long quarantinedEarlier;
  private volatile Optional<String> lastQuarantined = Optional.empty();
  private volatile Optional<String> steppedBack = Optional.empty();
  private volatile Members members = Members.UNKNOWN;

  /**
   * The members for the next entry: part of what the log has come to.
   *
   * @param sealed whether an entry has said who proposed it; from then on all must
   * @param now the members; empty where that is not known
   * @param before the members before the last change: who is removed may still have led
   */
  record Members(boolean sealed, Set<String> now, Set<String> before) {
    static final Members UNKNOWN = new Members(false, Set.of(), Set.of());

    private boolean contains(NodeId node) {
      return now.isEmpty() || now.contains(node.name()) || before.contains(node.name());
    }

    private void write(ByteWriter out) {
      out.u8(sealed ? 1 : 0);
      write(out, now);
      write(out, before);
    }

    private static void write(ByteWriter out, Set<String> names) {
      out.varint(names.size());
      names.forEach(out::text);
    }

    static Members read(ByteReader in) {
      return new Members(in.u8() == 1, names(in), names(in));
    }

    private static Set<String> names(ByteReader in) {
      Set<String> names = new TreeSet<>();
      for (int left = in.count(); left > 0; left--) {
        names.add(in.text());
      }
      return names;
    }
  }

  void members(Set<String> names) {
    Set<String> now = new TreeSet<>(names);
    if (!now.equals(members.now())) {
      members = new Members(members.sealed(), now, members.now());
    }
  }

  void restore(Members restored) {
    members = restored;
  }

  /** Goes on from what an earlier process, or another member, has set aside. */
  void restoreQuarantined(long count, String last) {
    quarantinedEarlier = count;
    quarantined.set(0);
    lastQuarantined = Optional.of(last).filter(what -> !what.isEmpty());
  }

  void write(ByteWriter out) {
    members.write(out);
    out.varint(quarantined()).text(lastQuarantined.orElse(""));
  }

  /**
   * Checks who proposed an entry.
   *
   * @throws DamagedException where that is no member, or is not said though others have
   */
  void admit(Optional<NodeId> proposer) {
    if (proposer.isEmpty()) {
      if (members.sealed()) {
        throw new DamagedException("an entry that does not say who proposed it");
      }
      return;
    }
    if (!members.contains(proposer.get())) {
      throw new DamagedException(
          "an entry proposed by " + proposer.get() + ", which does not vote");
    }
  }

  /** Notes that an entry is applied which says who proposed it, or does not. */
  void applies(Optional<NodeId> proposer) {
    if (proposer.isPresent() && !members.sealed()) {
      members = new Members(true, members.now(), members.before());
    }
  }

  void quarantine(byte[] entry, String why) {
    note("an entry of " + entry.length + " bytes (SHA-256 " + Hashes.hex(entry) + "): " + why);
  }

  /** Notes a version that its record could not take. */
  void setAside(String what) {
    note("the version " + what);
  }

  private void note(String what) {
    lastQuarantined = Optional.of(what);
    quarantined.incrementAndGet();
    LOG.log(Level.ERROR, "quarantined what the voters agreed on: {0}", what);
  }

  long quarantined() {
    return quarantinedEarlier + quarantined.get();
  }

  boolean hasQuarantined() {
    return quarantined.get() > 0;
  }

  Optional<String> lastQuarantined() {
    return lastQuarantined;
  }

  AgreedLog.SteppedBackException stepBack(Throwable why) {
    String text = String.valueOf(why.getMessage());
    if (!(why instanceof AgreedEntry.UnknownLevelException)) {
      text = "what the voters agreed on could not be applied: " + why;
    }
    steppedBack = Optional.of(text);
    LOG.log(Level.ERROR, "this voter steps back and applies nothing more: {0}", text);
    return new AgreedLog.SteppedBackException(text, why);
  }

  void requireGoesOn() {
    Optional<String> why = steppedBack;
    if (why.isPresent()) {
      throw new AgreedLog.SteppedBackException(why.get(), null);
    }
  }

  Optional<String> steppedBack() {
    return steppedBack;
  }
}
