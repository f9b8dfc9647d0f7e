// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.causality.VersionVector;
import dev.entente.core.record.RecordKey;
import java.util.List;

/**
 * What a node holds, in few bytes: two nodes that hold the same records in the same states have the
 * same digest. Records are spread over buckets, so that where digests differ only the records of
 * the buckets that do need to be compared.
 *
 * @param known what the node had of all nodes when it began to look
 * @param buckets a number for each bucket
 * @param records how many records there are
 */
public record Digest(VersionVector known, List<Long> buckets, long records) {
  /** How many buckets there are. */
  public static final int BUCKETS = 256;

  public Digest {
    buckets = List.copyOf(buckets);
    if (buckets.size() != BUCKETS) {
      throw new IllegalArgumentException("a digest has " + BUCKETS + " buckets");
    }
  }

  /**
   * One record of a bucket.
   *
   * @param context what the record has seen
   * @param hash of its state
   */
  public record Entry(RecordKey key, VersionVector context, long hash) {}
}
