// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.engine.codec.Keys;
import java.util.ArrayList;
import java.util.List;

/**
 * Versions that a group of nodes is to agree on. They were worked out on top of all that the group
 * had agreed on up to a number, and hold only directly behind it.
 *
 * @param after the last number of the group that they build on
 * @param versions in the format of {@link dev.entente.core.codec.VersionCodec}
 * @param fences the locks that must still be held then
 * @param answers what to tell whoever asks again under the same request id, at any node
 */
public record Proposal(
    long after, List<byte[]> versions, List<Answer> answers, List<Locks.Fence> fences) {
  private static final int FORMAT = 2;

  /** What a request was answered, by its key in the store. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Answer(byte[] key, byte[] answer) {
    /** Whose request it answers. */
    public String tenant() {
      return Keys.firstName(key);
    }
  }

  public Proposal {
    versions = List.copyOf(versions);
    answers = List.copyOf(answers);
    fences = List.copyOf(fences);
  }

  /** The last number of the group once this is agreed on. */
  public long last() {
    return after + versions.size();
  }

  /**
   * Checks the answers, which {@link #fromBytes} takes as they are.
   *
   * @throws DamagedException where one is not that of a request, or of another tenant's record
   */
  public void requireAnswers() {
    answers.forEach(answer -> Answers.require(answer.key, answer.answer));
  }

  public byte[] toBytes() {
    ByteWriter out = new ByteWriter().u8(FORMAT).u64(after).varint(versions.size());
    versions.forEach(version -> out.varint(version.length).raw(version));
    out.varint(answers.size());
    for (Answer answer : answers) {
      out.varint(answer.key.length).raw(answer.key).varint(answer.answer.length).raw(answer.answer);
    }
    out.varint(fences.size());
    fences.forEach(
        fence -> out.text(fence.name().tenant()).text(fence.name().lock()).u64(fence.token()));
    return out.toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws DamagedException where the bytes are no proposal
   */
  public static Proposal fromBytes(byte[] bytes) {
    ByteReader in = new ByteReader(bytes);
    int format = in.u8();
    if (format != FORMAT) {
      throw new DamagedException("a proposal of the unknown format " + format);
    }
    long after = in.u64();
    List<byte[]> versions = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      versions.add(in.raw(in.count()));
    }
    List<Answer> answers = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      answers.add(new Answer(in.raw(in.count()), in.raw(in.count())));
    }
    List<Locks.Fence> fences = new ArrayList<>();
    for (int left = in.count(); left > 0; left--) {
      fences.add(new Locks.Fence(new Locks.Name(in.text(), in.text()), in.u64()));
    }
    in.expectEnd();
    return new Proposal(after, versions, answers, fences);
  }
}
