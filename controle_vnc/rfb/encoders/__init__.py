"""From a decoded picture to rectangles that any viewer can join at any time."""
