// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.NodeId;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.CausalCodec;
import dev.entente.core.record.RecordKey;
import java.util.Base64;

/**
 * A record's context as the opaque text that clients keep: a vector, and a trace of the record that
 * it belongs to.
 */
public final class ContextToken {
  private static final int FORMAT = 1;
  private static final int LENGTH_MAX = 6_000;
  private static final int NODES_MAX = 1_000;

  private ContextToken() {}

  /** A token that is none, or is another record's. */
  public static final class BadTokenException extends Exception {
    private static final long serialVersionUID = 1;
    private final boolean tooLarge;

    BadTokenException(String message, boolean tooLarge) {
      super(message, null, false, false);
      this.tooLarge = tooLarge;
    }

    public boolean tooLarge() {
      return tooLarge;
    }
  }

  public static String of(RecordKey key, VersionVector context) {
    ByteWriter out = new ByteWriter();
    out.u8(FORMAT).u8(key.hashCode() >>> 8).u8(key.hashCode());
    CausalCodec.write(out, context);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(out.toBytes());
  }

  /**
   * The vector of a token.
   *
   * @throws BadTokenException where the text is no token, is another record's, or names too many
   *     nodes
   */
  public static VersionVector parse(RecordKey key, String token) throws BadTokenException {
    if (token.length() > LENGTH_MAX) {
      throw new BadTokenException("a context names at most " + NODES_MAX + " nodes", true);
    }
    try {
      ByteReader in = new ByteReader(Base64.getUrlDecoder().decode(token));
      if (in.u8() != FORMAT) {
        throw new BadTokenException("the context is of an unknown format", false);
      }
      boolean same = in.u8() * 256 + in.u8() == (key.hashCode() & 0xFFFF);
      VersionVector vector = CausalCodec.readVector(in);
      in.expectEnd();
      if (!same) {
        throw new BadTokenException("the context is of another record", false);
      }
      return vector;
    } catch (DamagedException | IllegalArgumentException e) {
      throw new BadTokenException("the context is not one that was given out", false);
    }
  }

  /** How far a node's own number in the vector lies ahead of what it has accepted. */
  static boolean claimsFuture(VersionVector vector, NodeId self, long lastNumber) {
    return vector.get(self) > lastNumber;
  }
}
