// SPDX-License-Identifier: Apache-2.0
/** Reading JSON text, strictly from the network and leniently from people's files. */
@NullMarked
package dev.entente.engine.json;

import org.jspecify.annotations.NullMarked;
