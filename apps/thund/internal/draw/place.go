// SPDX-License-Identifier: MIT

package draw

import "slices"

// spread gives each place a height near its neighbours, and never one above another.
func (l *layout) spread() {
	for _, layer := range l.layers {
		y := 0.0
		for _, p := range layer {
			p.y = y + p.height()/2
			y += p.height() + rowGap
		}
	}
	for round := range placeRounds {
		for i := range l.layers {
			layer := l.layers[i]
			if round%2 == 1 {
				layer = l.layers[len(l.layers)-1-i]
			}
			settle(layer)
		}
	}
	top, bottom := l.layers[0][0].y, 0.0
	for _, layer := range l.layers {
		top = min(top, layer[0].y-layer[0].height()/2)
	}
	for _, layer := range l.layers {
		for _, p := range layer {
			p.y += margin - top
			bottom = max(bottom, p.y+p.height()/2)
		}
	}
	l.width, l.height = float64(len(l.layers)*layerWidth-layerGap+2*margin), bottom+margin
}

// settle moves the places of a layer to the means of their neighbours, in order and with
// their distances: the pool of adjacent violators.
func settle(layer []*place) {
	type pool struct{ sum, weight float64 }
	var pools []pool
	var sizes []int
	offset := 0.0
	offsets := make([]float64, len(layer))
	for i, p := range layer {
		if i > 0 {
			offset += (layer[i-1].height()+p.height())/2 + rowGap
		}
		offsets[i] = offset
		sum, weight := p.y, 1.0
		if near := slices.Concat(p.in, p.out); len(near) > 0 {
			sum = 0
			for _, other := range near {
				sum += other.y
			}
			sum /= float64(len(near))
		}
		if p.node < 0 {
			weight = 2 // long edges stay straight
		}
		now, size := pool{(sum - offset) * weight, weight}, 1
		for len(pools) > 0 && pools[len(pools)-1].sum/pools[len(pools)-1].weight > now.sum/now.weight {
			last := pools[len(pools)-1]
			now = pool{now.sum + last.sum, now.weight + last.weight}
			size += sizes[len(sizes)-1]
			pools, sizes = pools[:len(pools)-1], sizes[:len(sizes)-1]
		}
		pools, sizes = append(pools, now), append(sizes, size)
	}
	i := 0
	for j, one := range pools {
		for range sizes[j] {
			layer[i].y = one.sum/one.weight + offsets[i]
			i++
		}
	}
}
