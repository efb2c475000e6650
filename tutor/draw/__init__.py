"""Pictures as SVG: the network with its numbers, curves and charts.

The diagram has a fixed place for every quantity; pages, exports and the form draw the same one.

Quantities, networks and notation; a picture is told what to show and computes nothing of a
lesson.

In the order in which it is best read:

    layout                where the parts of the diagram stand
    marks                 numbers, symbols, rings and arrows in it
    neuron                one neuron that computes forward and back
    scene                 what a step means for the diagram
    parts                 what each part adds to it, and which of them steps have in common
    backdrop              what it shows whatever the step
    diagram               the network as SVG
    graph_layout          where the nodes of a computation graph stand
    graph                 a computation graph as SVG
    graph_labels          where the labels on its edges stand
    layer_graph           the graph of a network: arrays as boxes, with their numbers
    routes                paths of the chain rule as routes through it
    frames                the diagrams of many steps in one
    curves                a function and its derivative as a picture
    charts                lines over iterations, with links to them
    planes                regions, level lines and ways over two numbers
"""
