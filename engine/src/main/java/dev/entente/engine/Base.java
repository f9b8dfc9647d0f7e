// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.HybridTime;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.StateCodec;
import dev.entente.core.record.RecordKey;
import dev.entente.core.record.RecordState;
import dev.entente.core.record.Repetitions;
import dev.entente.engine.codec.Keys;
import dev.entente.engine.store.Table;

/**
 * What is kept of the beginning of a record's history, once its versions are not kept any more.
 *
 * @param position where the last of them stood in the log
 * @param until when the last of them was accepted; moments before it cannot be looked back to
 * @param versions how many there were
 * @param state what they add up to; see {@link dev.entente.core.record.Past#base}
 */
record Base(long position, HybridTime until, long versions, RecordState state) {
  static final Base NONE = new Base(0, HybridTime.ZERO, 0, RecordState.EMPTY);
  private static final int FORMAT = 1;

  static Base of(History.Reader reader, RecordKey key) {
    byte[] bytes = reader.get(Table.BASES, Keys.of(key));
    return bytes == null ? NONE : fromBytes(bytes);
  }

  /** The same, knowing of a later version that repeats one of those. */
  Base repeated(Dot repetition, Dot earlier) {
    Repetitions more = state.repetitions().with(repetition, earlier);
    return new Base(
        position, until, versions, new RecordState(state.context(), state.cells(), more));
  }

  byte[] toBytes() {
    ByteWriter out = new ByteWriter().u8(FORMAT);
    out.varint(position).varint(until.packed()).varint(versions);
    return out.raw(StateCodec.toBytes(state)).toBytes();
  }

  static Base fromBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new DamagedException("the beginning of a history in format " + format);
    }
    long position = in.varint();
    HybridTime until = new HybridTime(in.varint());
    long versions = in.varint();
    return new Base(position, until, versions, StateCodec.fromBytes(in.rest()));
  }
}
