// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.record.RecordKey;
import dev.entente.engine.Digest;
import dev.entente.engine.Sender;
import java.io.IOException;
import java.util.List;

/** Another node, as far as comparing what it holds needs it. */
public interface Replica {
  /** Who it is, for what it sends. */
  Sender sender();

  /** What it holds, in few bytes. */
  Digest digest() throws IOException, InterruptedException;

  /** The records of a bucket. */
  List<Digest.Entry> bucket(int bucket) throws IOException, InterruptedException;

  /** All versions that it has of a record, in the order in which they came there. */
  List<byte[]> versions(RecordKey key) throws IOException, InterruptedException;
}
