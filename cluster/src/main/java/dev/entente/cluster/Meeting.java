// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import dev.entente.core.causality.VersionVector;

/**
 * Two nodes hear of each other again.
 *
 * @param apartMillis after how long a silence
 * @param mine what this node had then
 * @param theirs what the other had then
 */
record Meeting(long apartMillis, VersionVector mine, VersionVector theirs) {}
