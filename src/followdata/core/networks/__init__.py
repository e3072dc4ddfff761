"""Neural networks: what they are, as plain values, and how they learn.

    network       dense layers one after the other, as a value that can be stored and applied
    training      finding their weights, with PyTorch
    autoencoders  denoising and stacked autoencoders
    multitask     a whole row from a few markers, all its values at once
    adage         a denoising autoencoder whose weights are read as sets of genes

Only `training` needs PyTorch, which is an optional extra, and imports it inside its functions. A
network that was trained is applied with NumPy alone, wherever it was trained.
"""
