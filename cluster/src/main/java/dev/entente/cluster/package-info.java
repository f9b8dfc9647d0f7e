// SPDX-License-Identifier: Apache-2.0
/**
 * Many nodes that write at once. A {@link dev.entente.cluster.Cluster} knows the members and keeps
 * a {@link dev.entente.cluster.Link} to each: it pulls what the other has, in causal order, over a
 * {@link dev.entente.cluster.Transport}, and measures whether the other is there, how far behind
 * this node is, and how far apart the clocks are. {@link dev.entente.cluster.ClusterRunner} drives
 * the links with threads; a simulation drives the same links by itself. Never decides what a
 * conflict becomes.
 */
@NullMarked
package dev.entente.cluster;

import org.jspecify.annotations.NullMarked;
