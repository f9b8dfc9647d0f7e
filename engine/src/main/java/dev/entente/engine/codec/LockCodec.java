// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.codec;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.engine.Locks;
import java.util.ArrayList;
import java.util.List;

/** What is asked of locks and answered, as bytes. */
public final class LockCodec {
  private LockCodec() {}

  /** A command in bytes. */
  public static byte[] toBytes(Locks.Command command) {
    ByteWriter out = new ByteWriter();
    return switch (command) {
      case Locks.Command.Acquire(Locks.Name name, String owner, long lease, long wait) ->
          write(out.u8(1), name).text(owner).varint(lease).varint(wait).toBytes();
      case Locks.Command.Renew(Locks.Name name, long token) ->
          write(out.u8(2), name).u64(token).toBytes();
      case Locks.Command.Release(Locks.Name name, String owner) ->
          write(out.u8(3), name).text(owner).toBytes();
      case Locks.Command.Tick() -> out.u8(4).toBytes();
    };
  }

  private static ByteWriter write(ByteWriter out, Locks.Name name) {
    return out.text(name.tenant()).text(name.lock());
  }

  /**
   * Reads a command.
   *
   * @throws DamagedException where the bytes are none
   */
  public static Locks.Command command(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int kind = in.u8();
    Locks.Command command =
        switch (kind) {
          case 1 ->
              new Locks.Command.Acquire(
                  new Locks.Name(in.text(), in.text()), in.text(), in.varint(), in.varint());
          case 2 -> new Locks.Command.Renew(new Locks.Name(in.text(), in.text()), in.u64());
          case 3 -> new Locks.Command.Release(new Locks.Name(in.text(), in.text()), in.text());
          case 4 -> new Locks.Command.Tick();
          default -> throw new DamagedException("a lock command of the unknown kind " + kind);
        };
    in.expectEnd();
    return command;
  }

  /** An answer in bytes. */
  public static byte[] toBytes(Locks.Answer answer) {
    ByteWriter out = new ByteWriter();
    return switch (answer) {
      case Locks.Answer.Granted(Locks.Grant grant) -> write(out.u8(1), grant).toBytes();
      case Locks.Answer.Queued(int ahead, Locks.Grant holder) ->
          write(out.u8(2).varint(ahead), holder).toBytes();
      case Locks.Answer.Released(boolean held) -> out.u8(3).u8(held ? 1 : 0).toBytes();
      case Locks.Answer.Lost() -> out.u8(4).toBytes();
      case Locks.Answer.Deadlock(List<String> circle) -> {
        out.u8(5).varint(circle.size());
        circle.forEach(out::text);
        yield out.toBytes();
      }
      case Locks.Answer.Full(String why) -> out.u8(6).text(why).toBytes();
      case Locks.Answer.Ticked() -> out.u8(7).toBytes();
    };
  }

  private static ByteWriter write(ByteWriter out, Locks.Grant grant) {
    return out.text(grant.owner())
        .u64(grant.token())
        .varint(grant.leaseMillis())
        .u64(grant.untilMillis());
  }

  private static Locks.Grant grant(ByteReader in) {
    return new Locks.Grant(in.text(), in.u64(), in.varint(), in.u64());
  }

  /**
   * Reads an answer.
   *
   * @throws DamagedException where the bytes are none
   */
  public static Locks.Answer answer(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int kind = in.u8();
    return switch (kind) {
      case 1 -> new Locks.Answer.Granted(grant(in));
      case 2 -> new Locks.Answer.Queued((int) in.varint(), grant(in));
      case 3 -> new Locks.Answer.Released(in.u8() == 1);
      case 4 -> new Locks.Answer.Lost();
      case 5 -> {
        List<String> circle = new ArrayList<>();
        for (int left = in.count(); left > 0; left--) {
          circle.add(in.text());
        }
        yield new Locks.Answer.Deadlock(circle);
      }
      case 6 -> new Locks.Answer.Full(in.text());
      case 7 -> new Locks.Answer.Ticked();
      default -> throw new DamagedException("a lock answer of the unknown kind " + kind);
    };
  }
}
