// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.Dot;
import dev.entente.core.causality.VersionVector;
import dev.entente.core.record.RecordKey;
import dev.entente.engine.Digest;
import dev.entente.engine.Node;
import dev.entente.engine.Receipt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Compares what two nodes hold, finds what should not differ, and mends what it can. What is only
 * on its way is no finding: a version counts as missing only where a node's knowledge names it and
 * its record lacks it, and a state only where both have seen the same of the record. So the nodes
 * may go on writing meanwhile.
 *
 * @param records how many records this node has
 * @param buckets how many of the buckets differed, on the way or for good
 * @param findings what should not be
 */
public record Agreement(long records, int buckets, List<Finding> findings) {
  /** How many findings are told; the rest is found when these are mended. */
  public static final int FINDINGS_MAX = 1_000;

  public Agreement {
    findings = List.copyOf(findings);
  }

  /** What is wrong with a record. */
  public enum Kind {
    /** This node has lost a version that it once had. */
    MISSING_HERE,
    /** The other node has lost a version that it once had. */
    MISSING_THERE,
    /** Both have the same versions, and other states. */
    OTHER_STATE;

    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /**
   * A record that should not differ.
   *
   * @param mended whether this node has mended its side; what is wrong at the other is mended there
   */
  public record Finding(RecordKey key, Kind kind, boolean mended) {}

  /** Compares a node with another, and mends what is wrong on this side where told to. */
  public static Agreement of(Node here, Replica there, boolean mend)
      throws IOException, InterruptedException {
    Digest mine = here.digest();
    Digest theirs = there.digest();
    int differing = 0;
    List<Finding> findings = new ArrayList<>();
    for (int bucket = 0; bucket < Digest.BUCKETS && findings.size() < FINDINGS_MAX; bucket++) {
      if (!mine.buckets().get(bucket).equals(theirs.buckets().get(bucket))) {
        differing++;
        for (Finding finding : compare(here, mine, there, theirs, bucket)) {
          if (findings.size() < FINDINGS_MAX) {
            findings.add(mend ? mended(here, there, finding) : finding);
          }
        }
      }
    }
    return new Agreement(mine.records(), differing, findings);
  }

  private static List<Finding> compare(
      Node here, Digest mine, Replica there, Digest theirs, int bucket)
      throws IOException, InterruptedException {
    Map<RecordKey, Digest.Entry> ours = new TreeMap<>();
    here.digest(bucket, Integer.MAX_VALUE).forEach(entry -> ours.put(entry.key(), entry));
    Map<RecordKey, Digest.Entry> others = new TreeMap<>();
    there.bucket(bucket).forEach(entry -> others.put(entry.key(), entry));
    List<Finding> findings = new ArrayList<>();
    others.forEach((key, entry) -> ours.putIfAbsent(key, absent(key)));
    ours.forEach((key, our) -> {
      Digest.Entry other = others.getOrDefault(key, absent(key));
      if (our.context().equals(other.context())) {
        if (our.hash() != other.hash()) {
          findings.add(new Finding(key, Kind.OTHER_STATE, false));
        }
      } else if (lacks(
          our.context(),
          other.context(),
          dot -> mine.known().contains(dot) && !here.versionIndex().isRefused(dot))) {
        findings.add(new Finding(key, Kind.MISSING_HERE, false));
      } else if (lacks(other.context(), our.context(), theirs.known()::contains)) {
        findings.add(new Finding(key, Kind.MISSING_THERE, false));
      }
    });
    return findings;
  }

  private static Digest.Entry absent(RecordKey key) {
    return new Digest.Entry(key, VersionVector.EMPTY, 0);
  }

  /** Whether a record lacks something that the other has seen and that its node should have. */
  private static boolean lacks(
      VersionVector record, VersionVector other, Predicate<Dot> shouldHave) {
    for (int i = 0; i < other.entries().size(); i++) {
      Dot dot = new Dot(other.entries().key(i), other.entries().value(i));
      if (!record.contains(dot) && shouldHave.test(dot)) {
        return true;
      }
    }
    return false;
  }

  private static Finding mended(Node here, Replica there, Finding finding)
      throws IOException, InterruptedException {
    boolean mended =
        switch (finding.kind()) {
          case MISSING_HERE ->
              here.rebuild(finding.key()).join()
                  || here.receive(there.versions(finding.key()), there.sender()).join().stream()
                      .anyMatch(receipt -> receipt instanceof Receipt.Applied);
          case OTHER_STATE -> here.rebuild(finding.key()).join();
          case MISSING_THERE -> false;
        };
    return new Finding(finding.key(), finding.kind(), mended);
  }
}
