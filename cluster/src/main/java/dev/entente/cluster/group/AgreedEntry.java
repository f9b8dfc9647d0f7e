// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.NodeId;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.Version;
import dev.entente.engine.Hashes;
import dev.entente.engine.Locks;
import dev.entente.engine.Proposal;
import dev.entente.engine.Registry;
import dev.entente.engine.StampedPolicy;
import dev.entente.engine.codec.LockCodec;
import java.util.Arrays;
import java.util.Optional;

/**
 * What the group agrees on, decoded and checked. The result depends on the bytes alone.
 *
 * <p>An entry is sealed: its format level, who proposed it, what it says, and a checksum over all
 * of that. The checksum tells an entry of a later release from noise: the first makes a voter step
 * back, the second is quarantined. Entries of releases before 0.2.0 are not sealed; they are still
 * read, but checked only as far as those releases kept it.
 */
sealed interface AgreedEntry {
  int VERSIONS = 1;
  int LOCK = 2;
  int SETTINGS = 3;
  int POLICY = 4;
  int TIMED_LOCK = 5;

  /** Begins a sealed entry. */
  int SEALED = 6;

  /** The format level that this release proposes, and the highest that it reads. */
  int LEVEL = 1;

  /** The largest entry; the library refuses entries above 4 MiB with its own framing. */
  int BYTES_MAX = (4 << 20) - (64 << 10);

  int CHECKSUM_BYTES = 8;

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
   * An entry and who proposed it.
   *
   * @param proposer the node that led; empty for an entry of a former release
   */
  record Proposed(Optional<NodeId> proposer, AgreedEntry entry) {}

  /** An intact entry of a format level that only a later release reads. */
  final class UnknownLevelException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnknownLevelException(int level) {
      super(
          "the voters have agreed on an entry of format level "
              + level
              + ", and this release reads up to "
              + LEVEL
              + ": install the release that the other voters run");
    }
  }

  /** An entry as this release proposes it; {@code body} begins with the kind. */
  static byte[] seal(NodeId proposer, byte[] body) {
    byte[] sealed =
        new ByteWriter().u8(SEALED).u8(LEVEL).text(proposer.value()).raw(body).toBytes();
    return new ByteWriter().raw(sealed).raw(checksum(sealed)).toBytes();
  }

  private static byte[] checksum(byte[] sealed) {
    return Arrays.copyOf(Hashes.of(sealed), CHECKSUM_BYTES);
  }

  /**
   * Decodes an entry.
   *
   * @throws DamagedException where it is malformed, of an unknown kind, or holds what its proposer
   *     or the group may not write
   * @throws UnknownLevelException where a later release has to read it
   */
  static Proposed read(byte[] entry) {
    try {
      return entry.length > 0 && entry[0] == SEALED
          ? unsealed(entry)
          : new Proposed(Optional.empty(), body(new ByteReader(entry)));
    } catch (DamagedException | UnknownLevelException e) {
      throw e;
    } catch (RuntimeException e) {
      // Values out of range are refused by the types that they would be.
      throw new DamagedException("a malformed agreed entry: " + e);
    }
  }

  private static Proposed unsealed(byte[] entry) {
    int end = Math.max(0, entry.length - CHECKSUM_BYTES);
    byte[] sealed = Arrays.copyOf(entry, end);
    byte[] sum = Arrays.copyOfRange(entry, end, entry.length);
    if (!Arrays.equals(checksum(sealed), sum)) {
      throw new DamagedException("an agreed entry whose checksum is wrong");
    }
    ByteReader in = new ByteReader(sealed);
    in.u8();
    int level = in.u8();
    if (level > LEVEL) {
      throw new UnknownLevelException(level);
    }
    if (level < 1) {
      throw new DamagedException("an agreed entry of format level " + level);
    }
    NodeId proposer = new NodeId(in.text());
    AgreedEntry read = body(in);
    requireAllowed(proposer, read);
    return new Proposed(Optional.of(proposer), read);
  }

  private static AgreedEntry body(ByteReader in) {
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
      requireOpen(version.key().tenant());
    }
    return proposal;
  }

  /** What former releases did not check, and may have agreed on. */
  private static void requireAllowed(NodeId proposer, AgreedEntry entry) {
    switch (entry) {
      case Versions(Proposal proposal) -> {
        proposal.requireAnswers();
        proposal.answers().forEach(answer -> requireOpen(answer.tenant()));
        proposal.fences().forEach(fence -> requireNamed(fence.name()));
      }
      case Lock _ -> throw new DamagedException("a command for locks of a former release");
      case TimedLock(LockTime _, Locks.Command command) -> requireAllowed(command);
      case Settings _ -> {}
      case Policy(String _, StampedPolicy policy) -> {
        requireOpen(policy.tenant());
        if (!policy.node().equals(proposer)) {
          throw new DamagedException(
              "a policy in the name of " + policy.node() + ", proposed by " + proposer);
        }
      }
    }
  }

  private static void requireAllowed(Locks.Command command) {
    switch (command) {
      case Locks.Command.Acquire(Locks.Name name, String owner, long lease, long wait) -> {
        requireNamed(name);
        if (name.tenant().equals(Locks.CLUSTER)) {
          NodeId node = new NodeId(owner);
          if (!node.name().equals(owner)) {
            throw new DamagedException("a lease of the cluster for " + owner);
          }
        }
        if (owner.isEmpty()
            || lease <= 0
            || lease > Locks.LEASE_MILLIS_MAX
            || wait < 0
            || wait > Locks.WAIT_MILLIS_MAX) {
          throw new DamagedException(
              "a lock for " + owner + " over " + lease + " ms that waits for " + wait + " ms");
        }
      }
      case Locks.Command.Renew(Locks.Name name, long _) -> requireNamed(name);
      case Locks.Command.Release(Locks.Name name, String _) -> requireNamed(name);
      case Locks.Command.Tick() -> {}
    }
  }

  /** The locks of no tenant are the cluster's own; the reserved tenant has none. */
  private static void requireNamed(Locks.Name name) {
    if (!name.tenant().equals(Locks.CLUSTER)) {
      requireOpen(name.tenant());
    }
    if (name.lock().isEmpty()) {
      throw new DamagedException("a lock without a name");
    }
  }

  private static void requireOpen(String tenant) {
    String problem = RecordKey.problemWith(tenant);
    if (problem != null) {
      throw new DamagedException("a tenant that " + problem);
    }
    if (tenant.equals(Registry.TENANT)) {
      throw new DamagedException("an entry that writes to the reserved tenant");
    }
  }
}
