// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.causality.Dot;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Version;
import dev.entente.engine.Locks;
import dev.entente.engine.Proposal;
import dev.entente.engine.Registry;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.codec.LockCodec;

/** What the group agrees on, decoded and checked. The result depends on the bytes alone. */
sealed interface AgreedEntry {
  int VERSIONS = 1;
  int LOCK = 2;
  int SETTINGS = 3;
  int POLICY = 4;
  int TIMED_LOCK = 5;

  /** Versions under the group's own id. */
  record Versions(Proposal proposal) implements AgreedEntry {}

  /** A command for locks of a former release, timed by the leader's wall clock. */
  record Lock(long atMillis, Locks.Command command) implements AgreedEntry {}

  /** A command for locks. */
  record TimedLock(LockTime timed, Locks.Command command) implements AgreedEntry {}

  /** What to do where the group is split. */
  record Settings(SplitBrain splitBrain) implements AgreedEntry {}

  /** A policy and who put it in force. */
  record Policy(String actor, StampedPolicy policy) implements AgreedEntry {}

  /**
   * Decodes an entry.
   *
   * @throws DamagedException where it is malformed, of an unknown kind or format, or holds what the
   *     group may not write
   */
  static AgreedEntry read(byte[] entry) {
    try {
      ByteReader in = new ByteReader(entry);
      int kind = in.u8();
      return switch (kind) {
        case VERSIONS -> new Versions(checked(Proposal.fromBytes(in.rest())));
        case LOCK -> new Lock(in.u64(), LockCodec.command(in.rest()));
        case TIMED_LOCK -> new TimedLock(LockTime.read(in), LockCodec.command(in.rest()));
        case SETTINGS -> {
          SplitBrain settings = SplitBrain.read(in);
          in.expectEnd();
          yield new Settings(settings);
        }
        case POLICY -> {
          Policy policy = new Policy(in.text(), StampedPolicy.read(in));
          in.expectEnd();
          yield policy;
        }
        default -> throw new DamagedException("an agreed entry of the unknown kind " + kind);
      };
    } catch (DamagedException e) {
      throw e;
    } catch (RuntimeException e) {
      // Values out of range are refused by the types that they would be.
      throw new DamagedException("a malformed agreed entry: " + e);
    }
  }

  /** The group numbers its versions one after the other, and never writes the reserved tenant. */
  private static Proposal checked(Proposal proposal) {
    if (proposal.after() < 0 || proposal.last() < proposal.after()) {
      throw new DamagedException("a proposal after number " + proposal.after());
    }
    long number = proposal.after();
    for (byte[] bytes : proposal.versions()) {
      Version version = VersionCodec.fromBytes(bytes);
      Dot expected = new Dot(Group.ID, ++number);
      if (!version.dot().equals(expected)) {
        throw new DamagedException(
            "a proposal that holds version " + version.dot() + " in the place of " + expected);
      }
      if (version.key().tenant().equals(Registry.TENANT)) {
        throw new DamagedException("a proposal that writes to the reserved tenant");
      }
    }
    return proposal;
  }
}
